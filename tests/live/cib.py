"""What the lab's cluster is configured with: corosync.conf, the CIB that it boots with, domUs."""

from __future__ import annotations

from collections.abc import Sequence

COROSYNC = """totem {{
  version: 2
  cluster_name: lab
  transport: knet
  token: 1000
  crypto_cipher: none
  crypto_hash: none
}}
system {{
  move_to_root_cgroup: no
  sched_rr: no
  priority: 0
}}
quorum {{
  provider: corosync_votequorum
  {two_node}
}}
nodelist {{
{nodes}}}
logging {{
  to_logfile: yes
  logfile: /var/log/corosync.log
  to_syslog: no
  timestamp: hires
}}
"""
CIB = """<cib validate-with="pacemaker-3.0" crm_feature_set="3.0.14" epoch="1" num_updates="0"
 admin_epoch="0">
  <configuration>
    <crm_config><cluster_property_set id="cib-bootstrap-options">
{properties}    </cluster_property_set></crm_config>
    <nodes/>
    <resources>
      <primitive id="fencing" class="stonith" type="fence_lab">
        <instance_attributes id="fencing-parameters">
          <nvpair id="fencing-list" name="pcmk_host_list" value="{hosts}"/>
          <nvpair id="fencing-password" name="password" value="s3cret"/>
        </instance_attributes>
      </primitive>
{domains}    </resources>
    <constraints/>
    <rsc_defaults><meta_attributes id="rsc-options">
      <nvpair id="rsc-options-stickiness" name="resource-stickiness" value="100"/>
    </meta_attributes></rsc_defaults>
  </configuration>
  <status/>
</cib>
"""
PROPERTIES = {
    "dc-deadtime": "1s",  # else a boot takes 20 s
    "load-threshold": "1000%",  # a busy machine must not throttle the cluster
    "stonith-enabled": "true",
    "stonith-action": "off",  # a node comes back when a test says so
    "stonith-timeout": "20s",
    "cluster-name": "lab",
}
DOMAIN = """      <primitive id="{name}" class="ocf" provider="heartbeat" type="Xen">
        <instance_attributes id="{name}-parameters">
          <nvpair id="{name}-name" name="name" value="{name}"/>
          <nvpair id="{name}-xmfile" name="xmfile" value="/etc/xen/vm/{name}"/>
        </instance_attributes>
        <meta_attributes id="{name}-meta_attributes">
          <nvpair id="{name}-migrate" name="allow-migrate" value="true"/>
        </meta_attributes>
        <operations>
          <op id="{name}-monitor" name="monitor" interval="10s" timeout="20s"/>
          <op id="{name}-start" name="start" interval="0" timeout="20s"/>
          <op id="{name}-stop" name="stop" interval="0" timeout="12s"/>
          <op id="{name}-to" name="migrate_to" interval="0" timeout="30s"/>
          <op id="{name}-from" name="migrate_from" interval="0" timeout="30s"/>
        </operations>
      </primitive>
"""
XMFILE = """name = "{name}"
memory = 512
vcpus = 1
kernel = "/boot/vmlinuz-guest"
disk = [ "phy:/dev/vg/{name},xvda,w" ]
"""


def corosync_conf(hosts: Sequence[str]) -> str:
    """One ring of knet, without a secret: nobody else is on this network."""
    nodes = "".join(
        f"  node {{\n    name: {host}\n    nodeid: {number}\n"
        f"    ring0_addr: 10.99.0.{number}\n  }}\n"
        for number, host in enumerate(hosts, 1)
    )
    two_node = "two_node: 1" if len(hosts) == 2 else ""
    return COROSYNC.format(nodes=nodes, two_node=two_node)


def first_cib(hosts: Sequence[str], domains: Sequence[str]) -> str:
    """The CIB that every node boots with; the cluster upgrades it by itself."""
    properties = "".join(
        f'      <nvpair id="option-{name}" name="{name}" value="{value}"/>\n'
        for name, value in PROPERTIES.items()
    )
    return CIB.format(
        properties=properties,
        hosts=" ".join(hosts),
        domains="".join(DOMAIN.format(name=name) for name in domains),
    )
