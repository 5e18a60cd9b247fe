#!/bin/sh
# hxm's guard in front of @program@: written by `hxm guard install`, taken away by `hxm guard remove`,
# or, where Python is broken, by: sh @script@ remove
#
# What only reads goes on at once. What the cluster's agents run goes on as well, a create after a
# last look at the other nodes. hxm judges the rest.
program=@program@
path=@path@
kept=@kept@
script=@script@
folder=@folder@
look_seconds=@seconds@

# The real program by its own name, because it may be a script that goes by it (Debian's is). The
# link to it may be gone, with a folder that somebody has removed: then it is made again.
real() {
    for place in "$folder" /run/hxm/real; do
        [ -x "$place/$program" ] ||
            (umask 022 && mkdir -p "$place" && ln -sf "$kept" "$place/$program") 2>/dev/null
        [ ! -x "$place/$program" ] || exec "$place/$program" "$@"
    done
    [ ! -x "$kept" ] || exec "$kept" "$@"
    echo "$program: $kept, the real program, is gone: install its package again" >&2
    exit 127
}

# Whether the cluster's executor has started this: the variable alone may be a person's, who has
# run an agent by hand. The kernel cuts names off after 15 characters.
is_agent() {
    [ -n "$OCF_RESOURCE_INSTANCE" ] && [ ! -t 0 ] && [ ! -t 2 ] || return 1
    process=$PPID
    while [ "${process:-0}" -gt 1 ]; do
        called='' parent=''
        while read -r key value; do
            case $key in
            Name:) called=$value ;;
            PPid:) parent=$value && break ;;
            esac
        done 2>/dev/null <"/proc/$process/status"
        case $called in pacemaker-execd | pacemaker[-_]remot* | lrmd) return 0 ;; esac
        process=$parent
    done
    return 1
}

# The last look
#
# A Pacemaker 2.1.5 that loses its DC during a migration does not wait for its end. If constraints
# change as well it stops the domU on the source alone, and starts it on a third node while it runs
# on the target (tests/live/raw_edits.py). xl has no lock against this, so a create by an agent
# asks all nodes once, at the same time, what their toolstacks run. Where one has the domU, or
# receives it (NAME--incoming), the create fails. The agent then ends with OCF_ERR_GENERIC: the
# cluster tries the other nodes, the agent's stop finds nothing to stop here, and where the domU
# runs, the agent's start finds it running and is content. A node that gives no answer in time
# stops nothing: it is lost, and the cluster has fenced it before it starts its domUs elsewhere.
# But while it is a member of the cluster it is not lost but slow, and is given more time.
# Only create and restore are looked at: `xl migrate-receive` passes above, as what reads does.

cluster_tool() {
    (
        unset CIB_file CIB_shadow CIB_port CIB_server CIB_user CIB_passwd CIB_encrypted
        PATH=$PATH:/usr/sbin:/sbin timeout -k 1 2 "$@" 2>/dev/null
    )
}

# What a file, or XML, says behind this word. Agents give the name on the command line. A uuid that
# is put together of several strings, or stands in one of several lines, is not read here.
said_of() {
    tr ';' '\n' <"$file" 2>/dev/null |
        sed -n "s/^[[:blank:]]*$1[[:blank:]]*=[[:blank:]]*[\"']\([^\"']*\)[\"'].*/\1/p
        s:.*<$1>\([^<]*\)</$1>.*:\1:p" | tail -n 1
}

# Sets name and uuid of the domU that a command line makes: COMMAND WORD...
read_line() {
    name='' uuid='' file='' last=''
    command=$1
    while shift && [ $# -gt 0 ]; do
        case $1 in
        -f | --defconfig) file=$2 ;;
        --defconfig=*) file=${1#*=} ;;
        -f?*) file=${1#-f} ;;
        -*) ;;
        name=*) name=${1#*=} ;;
        uuid=*) uuid=${1#*=} ;;
        *=*) ;;
        *) file=${file:-$1} last=$1 ;;
        esac
    done
    if [ "$command" = start ]; then
        name=$last
    elif [ -f "$file" ] && { [ "$command" = create ] || [ "$file" != "$last" ]; }; then
        name=${name:-$(said_of name)} uuid=${uuid:-$(said_of uuid)}
    fi
    if [ -z "$name" ]; then # an image is mostly called after its domU
        name=${last##*/}
        name=${OCF_RESKEY_name:-${name%.*}}
    fi
    name=${name#[\"\']} name=${name%[\"\']}
    uuid=${uuid#[\"\']} uuid=${uuid%[\"\']}
}

# Reads a list of domains and prints `runs NODE AS` for the first that counts, or `clear NODE`, or
# `silent NODE WHY` if the list has no end. What has shut down or is dying does not count, but what
# is suspended does: it may be resumed. On this host xl itself says that the name is taken.
matches='
function plain(uuid) {
    gsub(/-/, "", uuid)
    return tolower(uuid)
}
function is_over(state) {
    return substr(state, 6, 1) == "d" || substr(state, 5, 1) == "c" ||
        (substr(state, 4, 1) == "s" && substr(state, 5, 1) != "s")
}
{ last = $0 }
$0 == "hxm: the end" { complete = 1 }
!as {
    for (column = 5; column <= NF && $column !~ /^[r-][b-][p-][s-][a-z?-]?[cd-]$/;) column++
    if (column > NF || is_over($column)) next
    called = $1
    for (word = 2; word < column - 3; word++) called = called " " $word
    other = called == name "--incoming" || called == "migrating-" name || (called != name && called !~ /--migratedaway$/ &&
        uuid != "" && plain($(column + 2)) == plain(uuid))
    if (other || (called == name && !here)) as = called
}
END {
    if (as) print "runs", node, as
    else if (complete) print "clear", node
    else print "silent", node, last
}'

# The nodes, as the cluster names them. While the DC is elected the CIB may give no answer: then
# its last copy on the disk counts.
node_names() {
    for source in running "$HXM_ROOT"/var/lib/pacemaker/cib/cib.xml "$HXM_ROOT"/var/lib/heartbeat/crm/cib.xml; do
        case $source in
        running) nodes=$(cluster_tool cibadmin -Q -l -o nodes) ;;
        *) nodes=$(cat "$source" 2>/dev/null) ;;
        esac
        nodes=$(echo "$nodes" | sed -n 's/.*<node [^>]*uname="\([^"]*\)".*/\1/p')
        [ -z "$nodes" ] || break
    done
    echo "$nodes"
}

# Which of these nodes this host is: the cluster tells its agents. Else by the name of the host,
# if it is that of one node only.
own_name() {
    [ -z "$OCF_RESKEY_CRM_meta_on_node" ] || {
        echo "$OCF_RESKEY_CRM_meta_on_node"
        return
    }
    host=$(uname -n) alike=''
    for node; do
        [ "$node" != "$host" ] || {
            echo "$node"
            return
        }
        [ "${node%%.*}" != "${host%%.*}" ] || alike="$alike $node"
    done
    # shellcheck disable=SC2086 # one word each
    set -- $alike
    if [ $# -eq 1 ]; then echo "$1"; else cluster_tool crm_node -n; fi
}

find_nodes() {
    names=$(node_names)
    # shellcheck disable=SC2086 # one word each
    own=$(own_name $names)
}

# What each node says of $name and $uuid, a line each, all asked at once.
ask_nodes() { # SECONDS NODE...
    ask='PATH=$PATH:/usr/sbin:/sbin; { xl list -v || xm list; } 2>/dev/null && echo "hxm: the end"'
    seconds=$1
    shift
    for node; do
        here=''
        [ "$node" != "$own" ] || here=1
        if [ "$here" ]; then
            timeout -k 1 "$seconds" sh -c "$ask" 2>&1
        else
            timeout -k 1 "$seconds" ssh -n -T -a -x -o BatchMode=yes -o ControlPath=none \
                -o ConnectTimeout="$seconds" -o ClearAllForwardings=yes -- "$node" \
                "exec sh -c '$ask'" 2>&1
        fi | NAME=$name UUID=$uuid NODE=$node HERE=$here awk "
            BEGIN { name = ENVIRON[\"NAME\"]; uuid = ENVIRON[\"UUID\"]
                node = ENVIRON[\"NODE\"]; here = ENVIRON[\"HERE\"] }
            $matches" &
    done
    wait
}

running_in() { # ANSWERS
    echo "$1" | sed -n 's/^runs //p'
}

# The nodes that gave no answer in any of these.
silent_in() {
    echo "$1" | awk '
        $1 == "silent" { silent[$2] }
        $1 != "silent" { answered[$2] }
        END { for (node in silent) if (!(node in answered)) print node }'
}

# The nodes of these that the cluster has as members.
members_of() {
    [ $# -gt 0 ] || return
    members=" $(cluster_tool crm_node -p | tr '\n' ' ') "
    for node; do
        case $members in *" $node "*) echo "$node" ;; esac
    done
}

report() { # PRIORITY TEXT
    echo "$program: $2" >&2
    logger -t hxm -p "daemon.$1" -- "$program: $2" 2>/dev/null
}

# Whether nothing stands against an agent's COMMAND WORD...
last_look() {
    read_line "$@"
    [ -n "$name" ] || return 0
    find_nodes
    # shellcheck disable=SC2086 # one word each
    answers=$(ask_nodes "$look_seconds" $names)
    # shellcheck disable=SC2046
    slow=$(members_of $(silent_in "$answers"))
    where=$(running_in "$answers")
    if [ -n "$slow" ] && [ -z "$where" ]; then
        # shellcheck disable=SC2086
        answers=$(echo "$answers" && ask_nodes $((4 * look_seconds)) $slow)
        where=$(running_in "$answers")
    fi
    if [ -n "$where" ]; then
        report err "$name is not created here: it runs on ${where%% *} (as ${where#* }), and two of\
 them destroy what is on its disks"
        return 1
    fi
    silent=$(silent_in "$answers" | tr '\n' ' ')
    if [ -z "$answers" ]; then
        report warning "$name is created, and no other node was asked: the CIB gives no answer"
    elif [ -n "$silent" ]; then
        report warning "$name is created, and whether it runs on ${silent% } is unknown: no answer"
    fi
    return 0
}

# The last look at a whole command line: options, COMMAND WORD...
look_at() {
    uri=''
    while [ $# -gt 0 ]; do
        case $1 in
        -c | --connect) uri=$2 && shift ;;
        --connect=*) uri=${1#*=} ;;
        -d | --debug | -e | --escape | -k | --keepalive-interval | -K | --keepalive-count | -l | --log)
            shift
            ;;
        -*) ;;
        *) break ;;
        esac
        shift
    done
    case $uri in
    *\?*) ;;
    *:*) case ${uri%%[+:]*} in @others@) return 0 ;; esac ;; # no Xen behind it
    esac
    case $1 in
    @looked@) last_look "$@" ;;
    esac
}

# Removal, also where Python is broken
#
# A shell or a script that is just being started reads the path that it was called by: no path may
# become that of something else, or go, while a process has it in its command line.
in_use() {
    for process in /proc/[0-9]*; do
        [ "$process" != "/proc/$$" ] || continue
        case " $({ tr '\0' ' ' <"$process/cmdline"; } 2>/dev/null) " in
        *" $script "*"$program "* | ?*" $folder/$program "* | ?*" $kept "*) return 0 ;;
        esac
    done
    return 1
}

remove() {
    # hxm's own lock: a removal whose hxm was killed must not go on under the next installation
    exec 9<"${path%/*}" && { flock 9 || [ $? = 127 ]; } 2>/dev/null || exit 1
    if grep -q "hxm's guard in front of" "$path" 2>/dev/null; then
        [ -e "$kept" ] || [ -L "$kept" ] || {
            echo "$program: $kept is gone: install its package again" >&2
            exit 1
        }
        rm -f "$path.hxm-new"
        ln "$kept" "$path.hxm-new" && mv -f "$path.hxm-new" "$path" || exit 1
    fi
    if command -v dpkg-divert >/dev/null; then
        dpkg-divert --quiet --local --no-rename --divert "$kept" --remove "$path" || exit 1
    fi
    tries=0
    while sleep 0.3 && [ $tries -lt 20 ] && in_use; do tries=$((tries + 1)); done
    rm -f "$kept" "$folder/$program" "/run/hxm/real/$program" "$path.hxm-new" "$script" || exit 1
    rmdir "$folder" /run/hxm/real /run/hxm 2>/dev/null
    exit 0
}

case $1 in
remove) remove ;;
look)
    name='' uuid=''
    find_nodes
    # shellcheck disable=SC2086 # one word each
    ask_nodes "$look_seconds" $names
    exit
    ;;
esac
shift # the path by which the program was called

for word; do
    case $word in
@options@
    @passing@) real "$@" ;;
    *) break ;;
    esac
done
if is_agent; then
    [ "$look_seconds" = 0 ] || (look_at "$@") || exit 107
    real "$@"
fi
status=127
[ ! -s @hxm@ ] || {
    @judge@ "$@"
    status=$?
}
case $status in
@passed@) real "$@" ;;
2 | 102 | 105 | 106 | 107 | 109 | 130) exit $status ;;
esac
cat >&2 <<END
$program: hxm, which guards it, does not work (exit status $status), so nothing was done
$program: make it again: @remedy@
$program: or call the real program: $kept
$program: or take the guard away: sh $script remove
END
exit 102
