"""One look at the cluster, Pacemaker and toolstacks together: claims on disks, capacity, polling.

May use `pacemaker`, `toolstack`, `domu` and the policy; changes nothing.
"""
