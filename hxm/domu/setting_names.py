"""The settings that xl and xm know, as captured from their sources.

XL: every name that `tools/xl/xl_parse.c` (before 4.10: `xl_cmdimpl.c` in `tools/libxl`) hands to an
xlu_cfg_ function, in Xen 4.2 to 4.22 (each RELEASE-4.N.0, and c447b730). XM: every gopts.var of
`tools/python/xen/xm/create.py`, in Xen 3.0.0 to 4.4.
"""

XL = """
acpi acpi_firmware acpi_laptop_slate acpi_s3 acpi_s4 altp2m altp2m_count altp2mhvm apic arm_sci
bios bios_path_override boot bootloader bootloader_args bootloader_restrict bootloader_user
builder cap channel cmdline cpu_weight cpuid cpus cpus_soft device_model device_model_args
device_model_args_hvm device_model_args_pv device_model_override device_model_stubdomain_override
device_model_stubdomain_seclabel device_model_user device_model_version device_tree disk display
dm_restrict driver_domain dtdev e820_host extra extratime firmware firmware_override gfx_passthru
gic_version hap hdtype hpet hvm_pirq init_seclabel iomem ioports irqs kernel keymap latency
llc_colors localtime max_event_channels max_grant_frames max_grant_version max_maptrack_frames
maxmem maxvcpus mca_caps memory mmio_hole ms_vm_genid msr_relaxed name nestedhvm nodes nographic
nomigrate nr_spis nx on_crash on_poweroff on_reboot on_soft_reset on_watchdog oos opengl p9 pae
passthrough pci pci_msitranslate pci_permissive pci_power_mgmt pci_seize period pool pvcalls pvh
pvshim pvshim_cmdline pvshim_extra pvshim_path ramdisk rdm rdm_mem_boundary root rtc_timeoffset
sched sdl seclabel serial shadow_memory slice smbios smbios_firmware soundhw spice
spice_clipboard_sharing spice_image_compression spice_streaming_video spiceagent_mouse
spicedisable_ticketing spicehost spicepasswd spiceport spicetls_port spiceusbredirection
spicevdagent stdvga stubdomain_cmdline stubdomain_kernel stubdomain_memory stubdomain_ramdisk sve
tee timer_mode trap_unmapped_accesses tsc_mode type usb usbctrl usbdev usbdevice usbversion uuid
vcpus vdispl vendor_device vfb vga videoram vif vif2 viridian virtio vkb vkb_device vmtrace_buf_kb
vnc vncdisplay vnclisten vncpasswd vncunused vncviewer vnuma vpmu vpt_align vsnd vtpm vuart
xauthority xen_platform_pci xen_platform_pci_bar_uc xend_suspend_evtchn_compat
xenstore_feature_mask xenstore_quota
"""
XM = """
access_control acpi apic blkif boot bootargs bootentry bootloader builder cdrom cpu cpu_cap
cpu_weight cpuid cpuid_check cpus description device_model dhcp disk display extra fda fdb
features gateway gfx_passthru guest_os_type hap hostname hpet interface ioports ip ipaddr irq isa
kernel keymap lapic loader localtime machine_address_size maxmem memory memory_sharing monitor
monitor_path name ne2000 nestedhvm netif netmask nfs_root nfs_server nics nographic nomigrate
on_crash on_poweroff on_reboot on_xend_start on_xend_stop oos opengl pae parallel pci
pci_msitranslate pci_power_mgmt pool ramdisk restart root rtc_timeoffset s3_integrity sdl serial
shadow_memory soundhw ssidref stdvga superpages suppress_spurious_page_faults target timer_mode
tpmif tsc_mode usb usbdevice usbport uuid vcpu_avail vcpus vfb vhpt videoram vif vif2 viridian vnc
vncconsole vncdisplay vnclisten vncpasswd vncunused vncviewer vpt_align vscsi vtpm vusb xauthority
xen_platform_pci
"""
