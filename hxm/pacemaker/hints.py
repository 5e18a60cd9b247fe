"""What each generation of the cluster's tools is to be told by hand: data for `Cluster.advice`.

`{name}` stands for a value. A line that no later table replaces is the same in all generations that
have what it is about.
"""

from __future__ import annotations

HINTS_2_0 = {
    "why": "crm_resource --why --resource={resource}",
    "confirm": "if {node} is off for certain: stonith_admin --confirm {node}",
    "fence": "wait for its fencing, or order it: stonith_admin --reboot {node}",
    "agents": "stonith_admin -I",
    "look": "crm_resource --refresh --resource={resource}",
    "look-on": "crm_resource --refresh --resource={resource} --node={node}",
    "level": "cibadmin --query --xpath=\"//fencing-level[@id='{level}']\"",
    "run": "crm_attribute --name=stop-all-resources --delete",
    "allow-all": "crm_attribute --name=symmetric-cluster --delete",
    "unset": (
        "cibadmin --delete --xpath=\"//meta_attributes[@id='{set}']//nvpair[@name='{option}']\""
    ),
    "unbind": "cibadmin --delete --xpath=\"//constraints/*[@id='{constraint}']\"",
    "unbind-rule": "cibadmin --delete --xpath=\"//constraints//rule[@id='{constraint}']\"",
    "allow": (
        "cibadmin --create -o constraints -X '"
        '<rsc_location id="{resource}-on-{node}" rsc="{resource}" node="{node}" score="0"/>\''
    ),
    "offer": "crm_attribute -N NODE -z -n {attribute} -v NUMBER",
    "ask": "crm_resource -r DOMAIN -z -p {attribute} -v NUMBER",
    "grant": "crm_ticket --ticket={ticket} --grant --force",
    "activate": "crm_ticket --ticket={ticket} --activate",
    "stack": "systemctl start pacemaker",
    "remote-stack": "systemctl start pacemaker_remote",
    "set": "crm_resource -r {resource} -m -p {option} -v VALUE",
    "live": "crm_resource -r {resource} -m -p allow-migrate -v true",
    "keep-stopped": (
        "crm_resource --resource={resource} --meta --set-parameter=target-role "
        "--parameter-value=Stopped"
    ),
    "instances": (
        "crm_resource --resource={clone} --meta --set-parameter={option} --parameter-value={number}"
    ),
    "parameter": 'crm_resource -r {resource} -p {name} -v "{value}"',
    "unset-parameter": "crm_resource -r {resource} -d {name}",
    "stickiness": "crm_attribute -t rsc_defaults -n resource-stickiness -v 100",
    "rules": "cibadmin -Q -A \"//rsc_location[.//expression[@attribute='{attribute}']]\"",
    "constraints": "cibadmin -Q -o constraints",
    "order": (
        "cibadmin -C -o constraints -X '"
        '<rsc_order id="{then}-after-{first}" first="{first}" then="{then}"/>\''
    ),
    "keep-off": (
        "cibadmin -C -o constraints -X '<rsc_location "
        'id="{resource}-not-on-{node}" rsc="{resource}" node="{node}" score="-INFINITY"/>\''
    ),
    "forget": "crm_resource --cleanup --resource={resource}",
    "idle": "crmadmin -S {dc} says S_IDLE",
    "fencing-on": "crm_attribute -n stonith-enabled -v true",
    "no-terminate": "crm_attribute -N {node} -l {lifetime} -n terminate -D",
    "startup-fencing": "crm_attribute -n startup-fencing -D",
    "verify": "crm_verify -L -V",
    "upgrade": "cibadmin --upgrade --force",
    "attributes": "crm_mon -1 -A",
}
# stonith_admin came with 1.1, --why with 1.1.18, --refresh of one resource with 1.1.18 as well;
# the long options of crm_resource with 1.1.10; crm_mon -A with 1.1.2
HINTS_1_1 = HINTS_2_0 | {
    "why": "hxm status",
    "look": "crm_resource -C -r {resource}",
    "look-on": "crm_resource -C -r {resource} -N {node}",
    "run": "crm_attribute -n stop-all-resources -D",
    "allow-all": "crm_attribute -n symmetric-cluster -D",
    "stack": "service pacemaker start",
    "remote-stack": "service pacemaker_remote start",
    "keep-stopped": "crm_resource -r {resource} -m -p target-role -v Stopped",
    "instances": "crm_resource -r {clone} -m -p {option} -v {number}",
    "forget": "crm_resource -C -r {resource}",
}
HINTS_1_0 = HINTS_1_1 | {
    "look-on": "crm_resource -C -r {resource} -H {node}",
    "confirm": "these tools take nobody's word that {node} is off: see to its fencing, or start it",
    "fence": "wait for its fencing; the log of the DC says why it does not come",
    "agents": "stonith -L",
    "attributes": "cibadmin -Q -o status",
}
HINTS_0_6 = HINTS_1_0 | {
    "unset": "take {option} out of {set}",
    "unbind": "cibadmin -D -o constraints -X '<{kind} id=\"{constraint}\"/>'",
    "unbind-rule": "cibadmin -D -o constraints -X '<rule id=\"{constraint}\"/>'",
    "allow": "add a location constraint that gives {resource} a score on {node}",
    "stack": "service heartbeat start",
    "live": "crm_resource -r {resource} -m -p allow_migrate -v true",
    "keep-stopped": "crm_resource -r {resource} -m -p target_role -v stopped",
    "instances": "crm_resource -r {clone} -p clone_max -v {number}",
    "stickiness": "crm_attribute -n default-resource-stickiness -v 100",
    "rules": "cibadmin -Q -o constraints",
    "order": (
        "cibadmin -C -o constraints -X '"
        '<rsc_order id="{then}-after-{first}" from="{then}" type="after" to="{first}"/>\''
    ),
}
