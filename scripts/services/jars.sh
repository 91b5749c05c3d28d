# shellcheck shell=bash
# What the services are made of: Java, jars, certificates; read by `services`.

need() { # need PROGRAM PACKAGE: installs what is missing where that is one command, else says which
  command -v "$1" >/dev/null 2>&1 && return
  [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null 2>&1 || die "$1 is missing: apt-get install -y $2, or your system's own"
  install_package "$2" || die "$1 is missing, and cannot be installed by apt-get install -y $2; see $dir/apt.log"
}
install_package() {
  say "installing $1"
  timeout 600 sh -c 'apt-get update -qq && apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=120 "$0"' \
    "$1" >"$dir/apt.log" 2>&1 </dev/null 9>&-
}

java_version() { "$1" -version 2>&1 </dev/null | sed -n 's/.* version "\([0-9]*\).*/\1/p'; }

# Java 17 runs all three; Cassandra runs on no newer one.
java='' java_major=0
find_java() { # find_java KIND: sets java and java_major
  local candidate v
  [[ $java_major == 17 ]] && return
  for candidate in "${JAVA_HOME:-/nowhere}/bin/java" java /usr/lib/jvm/*17*/bin/java; do
    command -v "$candidate" >/dev/null 2>&1 || continue
    v=$(java_version "$candidate")
    if [[ $v == 17 || (${v:-0} -gt 17 && $1 != cassandra && $java_major == 0) ]]; then
      java=$candidate java_major=$v
      [[ $v != 17 ]] || return 0
    fi
  done
  [[ $java_major == 0 || $1 == cassandra ]] || return 0
  if [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null 2>&1 && install_package openjdk-17-jre-headless; then
    java=$(echo /usr/lib/jvm/*17*/bin/java | awk '{ print $1 }') java_major=17
    return
  fi
  die "$1 needs Java 17: apt-get install -y openjdk-17-jre-headless, or set JAVA_HOME to one"
}

fetch() { # fetch KIND: its jars, unless they are there for this very pom.xml
  local kind=$1 to=$lib/$1 stamp work
  stamp=$(cksum <"$here/$kind/pom.xml")
  [[ $(cat "$to/.stamp" 2>/dev/null) != "$stamp" ]] || return 0
  need mvn maven
  exec 7>"$lib/lock" # others may share the jars
  flock -w 900 7 || die "somebody else has been getting jars into $lib for 15 minutes"
  if [[ $(cat "$to/.stamp" 2>/dev/null) != "$stamp" ]]; then
    say "getting the jars of $kind"
    work=$(mktemp -d "$lib/fetch.XXXXXX")
    cp "$here/$kind/pom.xml" "$work/"
    timeout 900 mvn -q -B -f "$work/pom.xml" dependency:copy-dependencies -DincludeScope=runtime \
      -DoutputDirectory="$work/jars" >"$work/log" 2>&1 </dev/null 7>&- 9>&- ||
      { tail -5 "$work/log" >&2; rm -rf "$work"; die "Maven could not get the jars of $kind"; }
    if [[ $kind == registry ]]; then
      mkdir "$work/app"
      tar -xzf "$work"/jars/*.tar.gz -C "$work/app"
      rm -rf "$work/jars"
      mv "$work/app" "$work/jars"
    fi
    echo "$stamp" >"$work/jars/.stamp"
    rm -rf "$to" "$lib/$kind".jsa*
    mv "$work/jars" "$to"
    rm -rf "$work"
  fi
  exec 7>&-
}

certificates() { # a CA, one server key for the loopback addresses and one for a client, 10 years
  local t=$dir/tls
  [[ ! -e $t/trust.p12 ]] || return 0
  need openssl openssl
  mkdir -p "$t"
  {
    openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj "/CN=test CA" -keyout "$t/ca.key" -out "$t/ca.pem"
    openssl req -newkey rsa:2048 -nodes -subj "/CN=localhost" -keyout "$t/server.key" -out "$t/server.csr"
    openssl x509 -req -in "$t/server.csr" -CA "$t/ca.pem" -CAkey "$t/ca.key" -CAcreateserial -days 3650 \
      -extfile <(echo "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:127.0.0.2,IP:127.0.0.3") -out "$t/server.pem"
    openssl pkcs12 -export -in "$t/server.pem" -inkey "$t/server.key" -certfile "$t/ca.pem" -name server \
      -passout pass:changeit -out "$t/server.p12"
    openssl req -newkey rsa:2048 -nodes -subj "/CN=tributary" -keyout "$t/client.key" -out "$t/client.csr"
    openssl x509 -req -in "$t/client.csr" -CA "$t/ca.pem" -CAkey "$t/ca.key" -CAcreateserial -days 3650 -out "$t/client.pem"
    # Java takes a certificate of a PKCS12 for trusted only if it has put it there itself.
    "${java%java}keytool" -importcert -noprompt -alias ca -file "$t/ca.pem" -keystore "$t/trust.p12" -storetype PKCS12 \
      -storepass changeit
  } >"$t/log" 2>&1 || { tail -3 "$t/log" >&2; rm -rf "$t"; die "openssl could not make the certificates"; }
}

# A class data archive, written when the first instance that got ready stops in order, halves later starts.
archive_flags() { # archive_flags NAME
  local archive
  archive=$lib/$(kind_of "$1").jsa
  if [[ -e $archive ]]; then
    echo "-XX:SharedArchiveFile=$archive -Xshare:auto -Xlog:cds=off -Xlog:cds+dynamic=off"
  elif [[ $(node_of "$1") == 1 ]]; then
    echo "-XX:ArchiveClassesAtExit=$archive.$$ -Xlog:cds=off -Xlog:cds+dynamic=off"
    echo "$archive.$$" >"$dir/$1.archive"
  fi
}
worth_an_archive() { if [[ -e $dir/$1.archive ]]; then echo ready >>"$dir/$1.archive"; fi; } # worth_an_archive NAME
keep_archive() { # keep_archive NAME clean|killed
  local made='' state=''
  { read -r made; read -r state; } 2>/dev/null <"$dir/$1.archive" || [[ -n $made ]] || return 0
  rm -f "$dir/$1.archive"
  if [[ $2 == clean && $state == ready && -s $made ]]; then mv -f "$made" "$lib/$(kind_of "$1").jsa"; else rm -f "$made"; fi
}
