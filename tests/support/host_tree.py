"""A made-up machine: /proc and /sys below a folder, with everything in it that the scrapers of hostmetrics read."""

STAT = """\
cpu  300 40 200 5000 60 7 8 9 10 11
cpu0 100 10 50 2000 20 3 4 5 6 7
cpu1 200 30 150 3000 40 4 4 4 4 4
intr 12345 1 2 3
ctxt 9876
btime 1700000000
processes 4242
procs_running 3
procs_blocked 1
"""

CPUINFO = """\
processor\t: 0
vendor_id\t: Made
cpu family\t: 6
model\t\t: 1
physical id\t: 0
core id\t\t: 0
cpu cores\t: 2
cpu MHz\t\t: 2400.125

processor\t: 1
vendor_id\t: Made
cpu family\t: 6
model\t\t: 1
physical id\t: 0
core id\t\t: 1
cpu cores\t: 2
cpu MHz\t\t: 1200.500

"""

DISKSTATS = """\
   7       0 loop0 0 0 0 0 0 0 0 0 0 0 0
   8       0 sda 1001 12 20480 345 2002 34 40960 1234 2 987 1579 0 0 0 0
   8       1 sda1 901 2 18432 300 1902 24 38912 1200 0 900 1500 0 0 0 0
   9       0 short 1 2 3
 253       0 dm-0 11 0 88 7 0 0 0 0 0 7 7
"""

MOUNTINFO = """\
21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
22 21 8:2 / /with\\040blank ro,nosuid - ext4 /dev/sda2 ro
23 21 8:2 / /with\\040blank ro,nosuid shared:9 master:1 - ext4 /dev/sda2 ro
24 21 0:20 / /run rw,nosuid - tmpfs tmpfs rw,mode=755
25 21 0:21 / /gone rw - ext4 /dev/sdb1 rw
"""

FILESYSTEMS = "nodev\tsysfs\nnodev\ttmpfs\n\text4\n\txfs\n"

MEMINFO = """\
MemTotal:       16000000 kB
MemFree:         4000000 kB
MemAvailable:    9000001 kB
Buffers:          500000 kB
Cached:          3000000 kB
SwapCached:            1 kB
Active:          2000000 kB
Inactive:        1000000 kB
Dirty:               321 kB
Shmem:             65432 kB
Slab:             700000 kB
SReclaimable:     400000 kB
SUnreclaim:       300000 kB
SwapTotal:       2000000 kB
SwapFree:        1500000 kB
HugePages_Total:      10
HugePages_Free:        7
HugePages_Rsvd:        2
HugePages_Surp:        1
Hugepagesize:       2048 kB
"""

NET_DEV = """\
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 1000 10 0 0 0 0 0 0 1000 10 0 0 0 0 0 0
  eth0:18446744 300 1 2 3 4 5 6 222222 400 7 8 9 10 11 12
eth0:1: 5 6 7 8 0 0 0 0 9 10 11 12 0 0 0 0
"""

TCP_HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
TCP_TAIL = "00000000:00000000 00:00000000 00000000     0        0 {inode} 1 0000000000000000 100 0 0 10 0\n"

SWAPS = """\
Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority
/dev/sda3                               partition\t1048576\t\t262144\t\t-2
/swap\\040file                           file\t\t2048\t\t0\t\t-3
"""

VMSTAT = "nr_free_pages 1000\npgpgin 111\npgpgout 222\npswpin 3\npswpout 4\npgfault 5000\npgmajfault 60\n"

NFS = """\
net 100 40 60 5
rpc 1000 2 3
proc3 22 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21
proc4 3 7 8 9
"""

NFSD = """\
rc 1 2 3
fh 4 0 0 0 0
io 500 600
th 8 0 0.000 0.000 0.000 0.000 0.000 0.000 0.000 0.000 0.000 0.000
ra 32 0 0 0 0 0 0 0 0 0 0 0
net 70 30 40 9
rpc 800 21 6 7 8
proc3 22 21 20 19 18 17 16 15 14 13 12 11 10 9 8 7 6 5 4 3 2 1 0
proc4 2 5 6
proc4ops 5 1 2 3 44 55
"""

PROCESS_STAT = (
    "1 (a name) with) S 0 1 1 0 -1 4194560 1234 99 56 7 1500 250 0 0 20 0 2 0 4242 50000000 777 "
    "18446744073709551615 1 1 0 0 0 0 671173123 4096 1260 0 0 0 17 1 0 0 12 0 0 0 0 0 0 0 0 0 0\n"
)

PROCESS_STATUS = """\
Name:\ta name) with
State:\tS (sleeping)
Tgid:\t1
Pid:\t1
PPid:\t0
Uid:\t0\t0\t0\t0
Gid:\t0\t0\t0\t0
VmSize:\t   48828 kB
VmRSS:\t    3108 kB
Threads:\t2
SigQ:\t0/62000
SigPnd:\t0000000000000000
ShdPnd:\t0000000000000005
SigBlk:\t0000000000000000
voluntary_ctxt_switches:\t{voluntary}
nonvoluntary_ctxt_switches:\t{involuntary}
"""

LIMITS = """\
Limit                     Soft Limit           Hard Limit           Units
Max cpu time              unlimited            unlimited            seconds
Max file size             unlimited            unlimited            bytes
Max data size             unlimited            unlimited            bytes
Max stack size            8388608              unlimited            bytes
Max core file size        0                    unlimited            bytes
Max resident set          unlimited            unlimited            bytes
Max processes             62000                62000                processes
Max open files            1024                 4096                 files
Max locked memory         65536                65536                bytes
Max address space         unlimited            unlimited            bytes
Max file locks            unlimited            unlimited            locks
Max pending signals       62000                62000                signals
Max msgqueue size         819200               819200               bytes
Max nice priority         0                    0
Max realtime priority     0                    0
Max realtime timeout      unlimited            unlimited            us
"""


def tcp(rows):
    """The text of a table: rows of local address, remote address, state."""
    lines = [
        f"   {i}: {local} {remote} {state:02X} {TCP_TAIL.format(inode=1000 + i)}"
        for i, (local, remote, state) in enumerate(rows)
    ]
    return TCP_HEAD + "".join(lines)


def connections():
    """One connection for each state and two, and listeners of which two share an address."""
    rows = [
        (f"0100007F:{1000 + i:04X}", f"0100007F:{2000 + i:04X}", 1 + i % 11) for i in range(13) if 1 + i % 11 != 10
    ]
    return [*rows, ("00000000:1F90", "00000000:0000", 10), ("00000000:1F90", "00000000:0000", 10)]


def connections_6():
    return [("0" * 32 + ":1F90", "0" * 32 + ":0000", 10), ("0" * 32 + ":1F91", "0" * 32 + ":0000", 10)]


def files():
    """Path below the root to text."""
    proc = {
        "stat": STAT,
        "cpuinfo": CPUINFO,
        "diskstats": DISKSTATS,
        "filesystems": FILESYSTEMS,
        "1/mountinfo": MOUNTINFO,
        "meminfo": MEMINFO,
        "loadavg": "0.50 1.25 2.00 3/700 4242\n",
        "uptime": "5000.75 9000.10\n",
        "net/dev": NET_DEV,
        "net/tcp": tcp(connections()),
        "net/tcp6": tcp(connections_6()),
        "net/rpc/nfs": NFS,
        "net/rpc/nfsd": NFSD,
        "sys/net/netfilter/nf_conntrack_count": "77\n",
        "sys/net/netfilter/nf_conntrack_max": "65536\n",
        "swaps": SWAPS,
        "vmstat": VMSTAT,
        "1/comm": "a name) with\n",
        "1/stat": PROCESS_STAT,
        "1/status": PROCESS_STATUS.format(voluntary=100, involuntary=20),
        "1/task/1/status": PROCESS_STATUS.format(voluntary=100, involuntary=20),
        "1/task/1/stat": PROCESS_STAT,
        "1/statm": "12207 777 500 10 0 200 0\n",
        "1/io": "rchar: 1\nwchar: 2\nsyscr: 33\nsyscw: 44\nread_bytes: 4096\nwrite_bytes: 8192\ncancelled_write_bytes: 0\n",
        "1/cmdline": "/sbin/made\0--up\0an argument\0",
        "1/cgroup": "0::/init.scope\n",
        "1/limits": LIMITS,
        "1/fd/0": "",
        "1/fd/1": "",
        "1/fd/2": "",
    }
    sys = {
        "devices/system/cpu/cpu0/topology/core_cpus_list": "0\n",
        "devices/system/cpu/cpu1/topology/core_cpus_list": "1\n",
    }
    return {**{f"proc/{path}": text for path, text in proc.items()}, **{f"sys/{path}": t for path, t in sys.items()}}


def make(root):
    """Writes the machine below `root`, which is returned."""
    for path, text in files().items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    (root / "proc/1/exe").symlink_to("/sbin/made")
    (root / "with blank").mkdir()
    (root / "run").mkdir()
    return root
