# shellcheck shell=bash
# Names, ports, and what is known of an instance; read by `services`.

kind_of() { echo "${1%%-*}"; }
node_of() { if [[ $1 == *-* ]]; then echo "${1##*-}"; else echo 1; fi; }
setting() { cat "$dir/$1.$2" 2>/dev/null || echo "$3"; } # setting KIND nodes|secure|offset DEFAULT

# The offset is remembered too: a later call without the variable still finds the ports. Offsets that are multiples
# of 500 share no port.
port() { # port NAME cql|plain|...
  local n base
  n=$(node_of "$1")
  base=$(setting "$(kind_of "$1")" offset "$offset")
  case $2 in
    plain) echo $((base + 9091 + n)) ;;      # 29092 29093 29094
    controller) echo $((base + 9191 + n)) ;; # 29192 ...
    sasl) echo $((base + 9291 + n)) ;;       # 29292 ...
    behind) echo $((base + 9391 + n)) ;;     # 29392 ... advertised as 29492 ..., where a test puts its proxy
    proxy) echo $((base + 9491 + n)) ;;
    cql) echo $((base + 9042)) ;;     # on 127.0.0.N
    storage) echo $((base + 7000)) ;; # on 127.0.0.N
    http) echo $((base + 8081)) ;;
  esac
}
address() { if [[ $(kind_of "$1") == cassandra ]]; then echo "127.0.0.$(node_of "$1")"; else echo 127.0.0.1; fi; }
front() { case $(kind_of "$1") in kafka) port "$1" plain ;; cassandra) port "$1" cql ;; *) port "$1" http ;; esac; }
log_of() { if [[ $1 == registry ]]; then echo "$dir/registry.out"; else echo "$dir/$1.log"; fi; }

instances() { # instances KIND
  local n
  [[ $1 == registry ]] && { echo registry; return; }
  for ((n = 1; n <= $(setting "$1" nodes 1); n++)); do echo "$1-$n"; done
}
known() { for k in kafka cassandra registry; do if [[ -e $dir/$k.nodes ]]; then instances "$k"; fi; done; }

kinds() { for w in "${@:-all}"; do # the services that WHAT... names, each once
  case $w in
    all) printf '%s\n' kafka cassandra registry ;;
    kafka | cassandra | registry) echo "$w" ;;
    kafka-[123] | cassandra-[123]) kind_of "$w" ;;
    *) die "no such service: $w (kafka, cassandra, registry, all, kafka-1, ...)" ;;
  esac
done | awk '!seen[$0]++'; }
expand() { for w in "${@:-all}"; do # the instances that WHAT... names, each once
  case $w in
    all) instances kafka; instances cassandra; instances registry ;;
    *-*) instances "$(kind_of "$w")" | grep -x "$w" || die "no such instance: $w" ;;
    *) instances "$w" ;;
  esac
done | awk '!seen[$0]++'; }

# A process is known by its number and its start, so that none is signalled that merely got the same number.
started_at() { awk '{ sub(/.*\) /, ""); print $20 }' "/proc/$1/stat" 2>/dev/null || true; }
process_state() { awk '{ sub(/.*\) /, ""); print $1 }' "/proc/$1/stat" 2>/dev/null || true; }
pid_of() { # the recorded process, if it is still there and no zombie
  local pid at
  read -r pid at 2>/dev/null <"$dir/$1.pid" || return 1
  [[ -n $at && $(started_at "$pid") == "$at" && $(process_state "$pid") != Z ]] && echo "$pid"
}
state_of() { # down, dead, paused, starting or up
  local pid
  [[ -e $dir/$1.pid ]] || { echo down; return; }
  pid=$(pid_of "$1") || { echo dead; return; }
  [[ $(process_state "$pid") == T ]] && { echo paused; return; }
  if listens "$1"; then echo up; else echo starting; fi
}
listens() { (exec 3<>"/dev/tcp/$(address "$1")/$(front "$1")") 2>/dev/null; }
