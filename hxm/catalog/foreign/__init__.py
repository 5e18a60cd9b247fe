"""The words of crm, pcs, virsh and others: what they are in hxm, and what it does not have."""
