# The names of nodes and domUs in a CIB, one a line: "node host1", "domain nfs".
# A domU is a primitive of an agent called Xen or VirtualDomain, also from a template; it has the
# id of its resource, and the value of its parameter "name" where there is one.
# A name with other characters than these is left out, so that nothing in a CIB can be anything
# but a word to the shell.
function attribute(name,    text) {
    if (!match($0, "[ \t\n]" name "=\"[^\"]*\"")) return ""
    text = substr($0, RSTART, RLENGTH - 1)
    sub(/^[^"]*"/, "", text)
    return text
}
function say(kind, name) {
    if (name ~ /^[A-Za-z0-9_][A-Za-z0-9_.+-]*$/ && !said[kind, name]++) print kind, name
}
BEGIN { RS = "<" }
/^node[ \t\n]/ { say("node", attribute("uname")) }
/^template[ \t\n]/ { type[attribute("id")] = attribute("type") }
/^primitive[ \t\n]/ {
    id[++count] = attribute("id")
    kind[count] = attribute("type")
    from[count] = attribute("template")
    inside = $0 !~ /\/>[ \t\n]*$/
}
/^\/primitive>/ { inside = 0 }
/^instance_attributes[ \t\n]/ { parameters = 1 }
/^(\/instance_attributes>|meta_attributes)/ { parameters = 0 }
/^nvpair[ \t\n]/ && inside && parameters && attribute("name") == "name" {
    called[count] = attribute("value")
}
END {
    for (i = 1; i <= count; i++) {
        agent = kind[i] == "" ? type[from[i]] : kind[i]
        if (agent == "Xen" || agent == "VirtualDomain") {
            say("domain", id[i])
            if (called[i] != "") say("domain", called[i])
        }
    }
}
