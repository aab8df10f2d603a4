"""Kills a program at the entry of its n-th system call, counted over all its threads and children, by ptrace(2).

`strace -e inject=…:when=k` counts each call of each thread by itself, so that some points of a program with threads are never
reached; here every point is. What the program starts (a browser) is let go as soon as it has become another program.
"""

import ctypes
import os
import signal
import struct
import time

import rig

TRACEME, CONT, SYSCALL, DETACH, SETOPTIONS, GETEVENTMSG = 0, 7, 24, 17, 0x4200, 0x4201
GET_SYSCALL_INFO = 0x420E
OPTIONS = 0x1 | 0x2 | 0x4 | 0x8 | 0x10 | 0x100000  # SYSGOOD, FORK, VFORK, CLONE, EXEC, EXITKILL
WALL = 0x40000000

# the calls that a reader of the table wants to see by name (x86-64)
NAMES = {
    0: "read", 1: "write", 3: "close", 9: "mmap", 17: "pread64", 18: "pwrite64", 20: "writev", 35: "nanosleep", 41: "socket",
    42: "connect", 44: "sendto", 45: "recvfrom", 48: "shutdown", 54: "setsockopt", 55: "getsockopt", 56: "clone", 57: "fork",
    61: "wait4", 73: "flock", 74: "fsync", 75: "fdatasync", 82: "rename", 87: "unlink", 112: "setsid", 202: "futex",
    230: "clock_nanosleep", 232: "epoll_wait", 233: "epoll_ctl", 257: "openat", 263: "unlinkat", 264: "renameat", 281: "epoll_pwait",
    285: "fallocate", 288: "accept4", 290: "eventfd2", 291: "epoll_create1", 293: "pipe2", 318: "getrandom", 332: "statx",
    435: "clone3",
}  # fmt: skip

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.restype = ctypes.c_long
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def ptrace(request, pid, address=0, data=0):
    return libc.ptrace(request, pid, address, data)


class Traced:
    """What became of it: the exit code of the process that was started, all system calls, the one at which the kill came."""

    def __init__(self):
        self.code = None
        self.calls = []
        self.killed_at = None


def run(argv, env, cwd, out, err, at=None, victim="all", timeout=rig.PATIENCE):
    """`at`: the system call, counted from 1, at whose entry the victim gets SIGKILL: all, the
    process that was started (`started`), or what it has forked (`helper`)."""
    traced = Traced()
    root = os.fork()
    if root == 0:
        try:
            ptrace(TRACEME, 0)
            null = os.open(os.devnull, os.O_RDONLY)
            for source, target in ((null, 0), (out, 1), (err, 2)):
                os.dup2(source, target)
            os.chdir(cwd)
            os.kill(os.getpid(), signal.SIGSTOP)
            os.execve(argv[0], argv, env)
        finally:
            os._exit(127)
    os.waitpid(root, WALL)
    if ptrace(SETOPTIONS, root, 0, OPTIONS) != 0:
        kill(root)
        os.waitpid(root, WALL)
        raise rig.Skip("processes can't be traced here")
    ptrace(SYSCALL, root)
    alive, seen, inside, dying, counting = {root}, {root}, set(), False, False
    end = time.monotonic() + timeout
    while alive:
        try:
            pid, status = os.waitpid(-1, WALL)
        except ChildProcessError:
            break
        if os.WIFEXITED(status) or os.WIFSIGNALED(status):
            alive.discard(pid)
            if pid == root:
                traced.code = os.waitstatus_to_exitcode(status)
            continue
        if not os.WIFSTOPPED(status):
            continue
        new = pid not in seen
        seen.add(pid)
        alive.add(pid)
        if dying:
            kill(pid)
            continue
        stop, event = os.WSTOPSIG(status), status >> 16
        deliver = 0
        if stop == signal.SIGTRAP | 0x80:
            if pid in inside:
                inside.discard(pid)
            else:
                inside.add(pid)
                if counting:
                    traced.calls.append(number(pid))
                    if len(traced.calls) == at:
                        traced.killed_at = NAMES.get(traced.calls[-1], str(traced.calls[-1]))
                        if victim != "all":
                            killed = {root} if victim == "started" else {one for one in alive if process_of(one) != root}
                            for one in killed:
                                kill(one)
                            if process_of(pid) in killed:
                                continue
                        else:
                            dying = True
                            for one in alive:
                                kill(one)
                            continue
        elif event == 4:  # exec
            if pid == root:
                counting = True
            else:
                ptrace(DETACH, pid)
                alive.discard(pid)
                continue
        elif event in (1, 2, 3):
            # known from here on, though its own first stop may be told later
            born = ctypes.c_ulong()
            if ptrace(GETEVENTMSG, pid, 0, ctypes.addressof(born)) == 0 and born.value not in seen:
                alive.add(born.value)
        elif event or (new and stop == signal.SIGSTOP):
            pass
        elif stop != signal.SIGTRAP:
            deliver = stop
        ptrace(SYSCALL, pid, 0, deliver)
        if time.monotonic() > end:
            dying = True
            for one in alive:
                kill(one)
    return traced


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def process_of(thread):
    """The process that a thread belongs to."""
    try:
        with open(f"/proc/{thread}/status", encoding="ascii", errors="replace") as file:
            return next((int(line.split()[1]) for line in file if line.startswith("Tgid:")), thread)
    except FileNotFoundError:
        return thread


def number(pid):
    """The number of the system call that is being entered."""
    info = ctypes.create_string_buffer(96)
    if ptrace(GET_SYSCALL_INFO, pid, len(info), ctypes.addressof(info)) <= 0 or info.raw[0] != 1:
        return -1
    return struct.unpack_from("<Q", info.raw, 24)[0]
