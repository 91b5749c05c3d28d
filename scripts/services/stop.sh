# shellcheck shell=bash
# Stopping and hurting; read by `services`.

down() {
  local wipe=0 kinds kind name w wanted=() names=()
  for w; do if [[ $w == --wipe ]]; then wipe=1; else wanted+=("$w"); fi; done
  ((${#wanted[@]})) || wanted=(all)
  kinds=$(kinds "${wanted[@]}")
  if ((wipe)); then
    for w in "${wanted[@]}"; do [[ $w != *-* ]] || die "--wipe is for a whole service: $(kind_of "$w")"; done
  fi
  for name in $(known); do
    for w in "${wanted[@]}"; do
      [[ $w != all && $w != "$name" && $w != "$(kind_of "$name")" ]] || { names+=("$name"); break; }
    done
  done
  stop "${names[@]}"
  if ((wipe)); then
    for kind in $kinds; do rm -rf "$dir/$kind".* "$dir/$kind"-[123] "$dir/$kind"-[123].*; done
    [[ -n $(known) ]] || rm -rf "$dir/tls"
  fi
  ((${#names[@]} == 0)) || say "down: ${names[*]}"
}

stop() { # stop NAME...: all at once; those that do not end in time are killed
  local name pid deadline begun=$SECONDS how
  for name; do
    pid=$(pid_of "$name") || continue
    kill -TERM "$pid" 2>/dev/null || true
    kill -CONT "$pid" 2>/dev/null || true # a paused one has to wake up to stop
  done
  for name; do
    how=killed deadline=$((begun + 30))
    # The last brokers of a cluster wait for a quorum that is gone.
    [[ $name != kafka-* || $(setting kafka nodes 1) == 1 ]] || deadline=$((begun + 8))
    if pid=$(pid_of "$name"); then
      how=clean
      while pid_of "$name" >/dev/null; do
        if ((SECONDS >= deadline)); then
          say "$name does not stop: killed"
          kill -KILL "$pid" 2>/dev/null || true
          how=killed
          sleep 0.2
        else
          sleep 0.05
        fi
      done
    fi
    keep_archive "$name" "$how"
    rm -f "$dir/$name.pid"
  done
}

signal() { # signal SIGNAL NAME
  local pid
  [[ -n ${2:-} ]] || die "which instance? $(known | tr '\n' ' ')"
  [[ " $(known | tr '\n' ' ') " == *" $2 "* ]] || die "no such instance: $2; there is: $(known | tr '\n' ' ')"
  pid=$(pid_of "$2") || die "$2 does not run"
  kill "-$1" "$pid"
  if [[ $1 == KILL ]]; then
    while pid_of "$2" >/dev/null; do sleep 0.02; done
    keep_archive "$2" killed
  fi
}
