# shellcheck shell=bash
# Starting, and waiting until it serves; read by `services`.

# In a session of its own, with no descriptor of ours: else a pipe that somebody reads from us would never end.
# The process records itself before it becomes what it is to be, so that there is none that nobody knows of.
launch() { # launch NAME COMMAND...
  local name=$1
  shift
  : >"$(log_of "$name")"
  rm -f "$dir/$name.pid"
  (
    me=$BASHPID # within $(...) it is another one
    for fd in /proc/"$me"/fd/*; do
      fd=${fd##*/}
      ((fd <= 2 || fd == 255)) || eval "exec $fd>&-"
    done
    echo "$me $(started_at "$me")" >"$dir/$name.pid.new"
    mv "$dir/$name.pid.new" "$dir/$name.pid"
    exec setsid "$@"
  ) </dev/null >"$dir/$name.out" 2>&1 &
  disown "$!"
  until [[ -e $dir/$name.pid ]]; do sleep 0.01; done
}

free_port() { # free_port NAME ADDRESS PORT
  if (exec 3<>"/dev/tcp/$2/$3") 2>/dev/null; then
    die "cannot start $1: $2:$3 is taken by another program; set SERVICES_PORT_OFFSET"
  fi
}

fill() { # fill TEMPLATE NAME=value...
  local text
  text=$(cat "$1") && shift
  for pair; do text=${text//"@${pair%%=*}@"/"${pair#*=}"}; done
  printf '%s\n' "$text"
}

start_kafka() { # start_kafka NAME
  local name=$1 n nodes secure voters='' listeners advertised i p conf=$dir/$1.properties
  n=$(node_of "$name") nodes=$(setting kafka nodes 1) secure=$(setting kafka secure 0)
  for ((i = 1; i <= nodes; i++)); do voters+=${voters:+,}$i@127.0.0.1:$(port "kafka-$i" controller); done
  listeners=PLAINTEXT://127.0.0.1:$(port "$name" plain)
  if [[ $secure == 1 ]]; then
    certificates
    listeners+=,SASL_SSL://127.0.0.1:$(port "$name" sasl)
  fi
  advertised=$listeners,PROXIED://127.0.0.1:$(port "$name" proxy)
  listeners+=,PROXIED://127.0.0.1:$(port "$name" behind),CONTROLLER://127.0.0.1:$(port "$name" controller)
  for p in ${listeners//,/ }; do free_port "$name" 127.0.0.1 "${p##*:}"; done
  fill "$here/kafka/server.properties" NODE="$n" VOTERS="$voters" RF="$nodes" MIN_ISR="$(((nodes + 1) / 2))" \
    DATA="$dir/$name" LISTENERS="$listeners" ADVERTISED="$advertised" >"$conf"
  [[ $secure == 0 ]] || fill "$here/kafka/secure.properties" TLS="$dir/tls" >>"$conf"
  [[ -e $dir/$name/meta.properties ]] || format_kafka "$name" "$secure" "$conf"
  # shellcheck disable=SC2046,SC2086
  launch "$name" "$java" -Xms64m -Xmx"${KAFKA_HEAP:-256m}" $jvm $(archive_flags "$name") -XX:+ExitOnOutOfMemoryError \
    -Dservices.log="$(log_of "$name")" -Dlog4j2.configurationFile="file:$here/kafka/log4j2.properties" \
    -cp "$lib/kafka/*" kafka.Kafka "$conf"
}
format_kafka() { # format_kafka NAME SECURE CONFIGURATION
  local users=() user mechanism
  [[ -s $dir/kafka.id ]] || head -c 16 /dev/urandom | base64 | tr '+/' 'AB' | tr -d '=\n' >"$dir/kafka.id"
  if [[ $2 == 1 ]]; then
    for user in app admin; do
      for mechanism in SCRAM-SHA-512 SCRAM-SHA-256; do
        users+=(--add-scram "$mechanism=[name=$user,password=$user-secret]")
      done
    done
  fi
  # shellcheck disable=SC2086
  "$java" $jvm -Xmx128m -cp "$lib/kafka/*" kafka.tools.StorageTool format -t "$(cat "$dir/kafka.id")" -c "$3" \
    "${users[@]}" >"$dir/$1.out" 2>&1 9>&- || { tail -3 "$dir/$1.out" >&2; die "cannot format the data of $1"; }
}

start_cassandra() { # start_cassandra NAME
  local name=$1 n nodes addr i seeds='' period='' conf=$dir/$1.yaml
  local sync=${CASSANDRA_COMMITLOG:-periodic} token=-9223372036854775808
  n=$(node_of "$name") nodes=$(setting cassandra nodes 1) addr=$(address "$name")
  free_port "$name" "$addr" "$(port "$name" cql)"
  free_port "$name" "$addr" "$(port "$name" storage)"
  [[ $sync != periodic ]] || period='commitlog_sync_period: 1000ms'
  # Every node is a seed: none needs another one to start first, or to be there at all.
  for ((i = 1; i <= nodes; i++)); do seeds+=${seeds:+,}127.0.0.$i:$(port "$name" storage); done
  # Tokens that split the ring evenly: -2^63 + (n-1) * 2^64 / nodes, without overflow.
  case $nodes-$n in 3-2) token=-3074457345618258603 ;; 3-3) token=3074457345618258602 ;; esac
  mkdir -p "$dir/$name"
  fill "$here/cassandra/cassandra.yaml" TOKEN="$token" ADDRESS="$addr" SEEDS="$seeds" DATA="$dir/$name" \
    STORAGE_PORT="$(port "$name" storage)" CQL_PORT="$(port "$name" cql)" COMMITLOG_SYNC="$sync" \
    COMMITLOG_SYNC_PERIOD="$period" >"$conf"
  if [[ $(setting cassandra secure 0) == 1 ]]; then
    certificates
    fill "$here/cassandra/secure.yaml" TLS="$dir/tls" CLIENT_AUTH="${CASSANDRA_CLIENT_AUTH:-false}" >>"$conf"
  fi
  # shellcheck disable=SC2046,SC2086
  launch "$name" "$java" -Xms64m -Xmx"${CASSANDRA_HEAP:-512m}" $jvm $(archive_flags "$name") \
    "@$here/cassandra/jvm.options" -Dcassandra.system_auth.default_rf="$nodes" \
    -Dcassandra.config="file://$conf" -Dcassandra.storagedir="$dir/$name" -Dcassandra.logdir="$dir" \
    -Dservices.log="$(log_of "$name")" -Dlogback.configurationFile="$here/cassandra/logback.xml" \
    -cp "$lib/cassandra/*" org.apache.cassandra.service.CassandraDaemon
}

start_registry() {
  free_port registry 127.0.0.1 "$(port registry http)"
  # shellcheck disable=SC2086
  launch registry "$java" -Xmx"${REGISTRY_HEAP:-192m}" $jvm -XX:+ExitOnOutOfMemoryError -Dquarkus.http.host=127.0.0.1 \
    -Dquarkus.http.port="$(port registry http)" -jar "$lib"/registry/*-runner.jar
}

ready() { # ready NAME: it answers, and in a cluster it has found the others
  listens "$1" || return 1
  case $(kind_of "$1") in
    kafka) grep -q 'Kafka Server started' "$(log_of "$1")" ;;
    cassandra) ready_cassandra "$1" ;;
    registry)
      (
        exec 3<>"/dev/tcp/127.0.0.1/$(port registry http)"
        printf 'GET /apis/ccompat/v7/subjects HTTP/1.0\r\n\r\n' >&3
        timeout 5 head -c 15 <&3 | grep -q ' 200'
      )
      ;;
  esac 2>/dev/null
}
ready_cassandra() {
  local other
  for other in $(instances cassandra); do
    [[ $other == "$1" || $(state_of "$other") == dead || $(state_of "$other") == paused ]] ||
      grep -q "$(address "$other"):$(port "$other" storage) is now UP" "$(log_of "$1")" || return 1
  done
  # The first user is made a moment after the port is open.
  [[ $(setting cassandra secure 0) == 0 || -e $dir/cassandra.superuser ]] ||
    { grep -qs 'Created default superuser role' "$dir"/cassandra-[123].log && touch "$dir/cassandra.superuser"; }
}

wait_ready() { # wait_ready NAME...
  local name deadline=$((SECONDS + timeout))
  for name; do
    until ready "$name"; do
      pid_of "$name" >/dev/null || fail "$name" "stopped while starting"
      ((SECONDS < deadline)) || fail "$name" "was not ready after $timeout s"
      sleep 0.1
    done
    worth_an_archive "$name"
  done
}
fail() { # fail NAME WHAT: with what it said of errors, or last
  local said
  said=$(grep -hE 'ERROR|FATAL|Exception|Error:' "$(log_of "$1")" "$dir/$1.out" 2>/dev/null | awk '!seen[$0]++' | tail -n 6) || true
  [[ -n $said ]] || said=$(tail -n 3 "$dir/$1.out" 2>/dev/null) || true
  cut -c1-250 <<<"$said" >&2
  pid_of "$1" >/dev/null || rm -f "$dir/$1.pid"
  die "$1 $2; see $(log_of "$1") and $dir/$1.out"
}

remember() { # remember KIND nodes|secure|offset WANTED DEFAULT
  local had
  had=$(setting "$1" "$2" '')
  if [[ -n $had && -n $3 && $had != "$3" ]]; then
    # A choice binds as soon as there is data or a process made by it.
    if compgen -G "$dir/$1-[123]/*" >/dev/null || compgen -G "$dir/$1*.pid" >/dev/null; then
      die "$1 was made with $2 $had, not $3: $self down $1 --wipe"
    fi
    had=
  fi
  [[ -n $had ]] || echo "${3:-$4}" >"$dir/$1.$2"
}

up() {
  local nodes='' secure='' kind name names wanted=() starting=() begun=$SECONDS
  while (($#)); do
    case $1 in
      --nodes) [[ ${2:-} == [13] ]] || die "--nodes is 1 or 3"; nodes=$2; shift ;;
      --secure) secure=1 ;;
      *) wanted+=("$1") ;;
    esac
    shift
  done
  names=$(kinds "${wanted[@]}")
  for kind in $names; do
    find_java "$kind"
    fetch "$kind"
    remember "$kind" nodes "$([[ $kind == registry ]] && echo 1 || echo "$nodes")" 1
    remember "$kind" secure "$secure" 0
    remember "$kind" offset "${SERVICES_PORT_OFFSET:-}" "$offset"
  done
  names=$(expand "${wanted[@]}")
  for name in $names; do
    case $(state_of "$name") in
      up | starting) starting+=("$name") ;;
      paused) die "$name is paused: $self resume $name" ;;
      *)
        keep_archive "$name" killed
        "start_$(kind_of "$name")" "$name"
        starting+=("$name")
        ;;
    esac
  done
  wait_ready "${starting[@]}"
  say "up after $((SECONDS - begun)) s: ${starting[*]}"
}
