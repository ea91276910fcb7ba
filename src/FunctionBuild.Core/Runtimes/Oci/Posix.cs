using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace FunctionBuild.Core.Runtimes.Oci;

/// <summary>The system calls of Linux that .NET has no API for. Those that return a <see cref="bool"/> tell success, and leave the cause in <see cref="Error"/>.</summary>
[SupportedOSPlatform("linux")]
internal static partial class Posix
{
    public const int PermissionDenied = 1;
    public const int NoEntry = 2;
    public const int AccessDenied = 13;
    public const int Exists = 17;
    public const int NotDirectory = 20;
    public const int IsDirectory = 21;
    public const int InvalidArgument = 22;
    public const int TooManyLinks = 40;

    private const int CloseOnExec = 0x80000;
    private const int Create = 0x40;
    private const int Exclusive = 0x80;
    private const int NonBlocking = 0x800;
    private const int WriteOnly = 1;

    private const int CurrentFolder = -100;
    private const int NoFollow = 0x100;

    private const int NetworkNamespace = 0x40000000;
    private const int InternetFamily = 2;
    private const int StreamSocket = 1;
    private const int SocketCloseOnExec = 0x80000;

    private const nuint GetInterfaceFlags = 0x8913;
    private const nuint SetInterfaceFlags = 0x8914;
    private const int InterfaceRequestSize = 40;
    private const int InterfaceFlagsOffset = 16;
    private const byte InterfaceUp = 1;

    private const int LongestLink = 4096;

    // ARM and POWER number these two otherwise than the rest.
    private static readonly bool HasOwnFlags = RuntimeInformation.ProcessArchitecture is Architecture.Arm or Architecture.Arm64 or Architecture.Armv6 or Architecture.Ppc64le;
    private static readonly int DirectoryOnly = HasOwnFlags ? 0x4000 : 0x10000;
    private static readonly int NoFollowLast = HasOwnFlags ? 0x8000 : 0x20000;

    /// <summary>The error of the calling thread's last failed call.</summary>
    public static int Error => Marshal.GetLastPInvokeError();

    /// <summary>The effective user id of this process.</summary>
    public static uint UserId => GetEffectiveUserId();

    /// <summary>The effective group id of this process.</summary>
    public static uint GroupId => GetEffectiveGroupId();

    /// <summary>What the last failed call says, as an exception.</summary>
    public static IOException Failure(string what)
    {
        int error = Error;
        return new IOException($"{what}: {new Win32Exception(error).Message}", error);
    }

    /// <summary>Opens a path of this machine for reading.</summary>
    public static SafeFileHandle? OpenPath(string path) => Valid(OpenAt(CurrentFolder, path, CloseOnExec, 0));

    /// <summary>Opens a folder by one name in another; a symbolic link is not followed.</summary>
    public static SafeFileHandle? OpenFolder(SafeFileHandle parent, string name) => Valid(OpenAt(parent, name, DirectoryOnly | NoFollowLast | CloseOnExec, 0));

    /// <summary>Opens a file by one name in a folder; a symbolic link is not followed, and a named pipe does not block.</summary>
    public static SafeFileHandle? OpenFile(SafeFileHandle parent, string name) => Valid(OpenAt(parent, name, NoFollowLast | NonBlocking | CloseOnExec, 0));

    /// <summary>Makes a file that does not exist yet.</summary>
    public static SafeFileHandle? CreateFile(SafeFileHandle parent, string name) => Valid(OpenAt(parent, name, WriteOnly | Create | Exclusive | NoFollowLast | CloseOnExec, 0x180));

    public static bool MakeFolder(SafeFileHandle parent, string name, int mode) => MakeDirectoryAt(parent, name, (uint)mode) == 0;

    public static bool MakePipe(SafeFileHandle parent, string name) => MakePipeAt(parent, name, 0x180) == 0;

    public static bool MakeSymbolicLink(string target, SafeFileHandle parent, string name) => SymbolicLinkAt(target, parent, name) == 0;

    public static bool MakeHardLink(SafeFileHandle fromFolder, string from, SafeFileHandle toFolder, string to) => LinkAt(fromFolder, from, toFolder, to, 0) == 0;

    /// <summary>Removes a name that is no folder's.</summary>
    public static bool Remove(SafeFileHandle parent, string name) => UnlinkAt(parent, name, 0) == 0;

    /// <summary>Where a symbolic link points; null when the name is no link's.</summary>
    public static unsafe string? ReadLink(SafeFileHandle parent, string name)
    {
        Span<byte> buffer = stackalloc byte[LongestLink];
        fixed (byte* start = buffer)
        {
            nint length = ReadLinkAt(parent, name, start, LongestLink);
            return length < 0 ? null : System.Text.Encoding.UTF8.GetString(buffer[..(int)length]);
        }
    }

    public static bool SetMode(SafeFileHandle file, int mode) => ChangeMode(file, (uint)mode) == 0;

    public static bool SetModeOf(SafeFileHandle parent, string name, int mode) => ChangeModeAt(parent, name, (uint)mode, 0) == 0;

    public static bool SetOwner(SafeFileHandle file, int user, int group) => ChangeOwner(file, (uint)user, (uint)group) == 0;

    /// <summary>Gives a name to an owner; of a symbolic link, the link itself.</summary>
    public static bool SetOwnerOf(SafeFileHandle parent, string name, int user, int group) => ChangeOwnerAt(parent, name, (uint)user, (uint)group, NoFollow) == 0;

    public static unsafe bool SetTime(SafeFileHandle file, DateTimeOffset time)
    {
        Times times = new(time);
        return SetFileTimes(file, &times) == 0;
    }

    /// <summary>Sets the time of a name; of a symbolic link, the link's own.</summary>
    public static unsafe bool SetTimeOf(SafeFileHandle parent, string name, DateTimeOffset time)
    {
        Times times = new(time);
        return SetTimesAt(parent, name, &times, NoFollow) == 0;
    }

    /// <summary>Moves the calling thread into a network namespace. What the thread starts is in it as well.</summary>
    public static bool EnterNetwork(SafeFileHandle networkNamespace) => SetNamespace(networkNamespace, NetworkNamespace) == 0;

    /// <summary>Opens a TCP socket in the calling thread's network namespace, where it stays; -1 when that fails.</summary>
    public static int OpenSocket() => OpenSocket(InternetFamily, StreamSocket | SocketCloseOnExec, 0);

    /// <summary>Brings the loopback interface of a socket's network namespace up; nothing changes when it is.</summary>
    public static unsafe bool BringLoopbackUp(SafeHandle socket)
    {
        byte* request = stackalloc byte[InterfaceRequestSize];
        var bytes = new Span<byte>(request, InterfaceRequestSize);
        bytes.Clear();
        "lo"u8.CopyTo(bytes);
        if (Control(socket, GetInterfaceFlags, request) != 0)
        {
            return false;
        }

        if ((bytes[InterfaceFlagsOffset] & InterfaceUp) != 0)
        {
            return true;
        }

        bytes[InterfaceFlagsOffset] |= InterfaceUp;
        return Control(socket, SetInterfaceFlags, request) == 0;
    }

    private static SafeFileHandle? Valid(int descriptor) => descriptor < 0 ? null : new SafeFileHandle(descriptor, ownsHandle: true);

    [LibraryImport("libc", EntryPoint = "openat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenAt(int folder, string name, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "openat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenAt(SafeFileHandle folder, string name, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "mkdirat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakeDirectoryAt(SafeFileHandle folder, string name, uint mode);

    [LibraryImport("libc", EntryPoint = "mkfifoat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakePipeAt(SafeFileHandle folder, string name, uint mode);

    [LibraryImport("libc", EntryPoint = "symlinkat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SymbolicLinkAt(string target, SafeFileHandle folder, string name);

    [LibraryImport("libc", EntryPoint = "linkat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int LinkAt(SafeFileHandle fromFolder, string from, SafeFileHandle toFolder, string to, int flags);

    [LibraryImport("libc", EntryPoint = "unlinkat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int UnlinkAt(SafeFileHandle folder, string name, int flags);

    [LibraryImport("libc", EntryPoint = "readlinkat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial nint ReadLinkAt(SafeFileHandle folder, string name, byte* buffer, nint size);

    [LibraryImport("libc", EntryPoint = "fchmod", SetLastError = true)]
    private static partial int ChangeMode(SafeFileHandle file, uint mode);

    [LibraryImport("libc", EntryPoint = "fchmodat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeModeAt(SafeFileHandle folder, string name, uint mode, int flags);

    [LibraryImport("libc", EntryPoint = "fchown", SetLastError = true)]
    private static partial int ChangeOwner(SafeFileHandle file, uint user, uint group);

    [LibraryImport("libc", EntryPoint = "fchownat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeOwnerAt(SafeFileHandle folder, string name, uint user, uint group, int flags);

    [LibraryImport("libc", EntryPoint = "futimens", SetLastError = true)]
    private static unsafe partial int SetFileTimes(SafeFileHandle file, Times* times);

    [LibraryImport("libc", EntryPoint = "utimensat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int SetTimesAt(SafeFileHandle folder, string name, Times* times, int flags);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint GetEffectiveUserId();

    [LibraryImport("libc", EntryPoint = "getegid")]
    private static partial uint GetEffectiveGroupId();

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static partial int SetNamespace(SafeFileHandle file, int type);

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial int OpenSocket(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static unsafe partial int Control(SafeHandle socket, nuint request, byte* argument);

    /// <summary>Two of <c>struct timespec</c>: of the last access and of the last change.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct Times
    {
        private readonly nint _accessSeconds;
        private readonly nint _accessNanoseconds;
        private readonly nint _changeSeconds;
        private readonly nint _changeNanoseconds;

        public Times(DateTimeOffset time)
        {
            long ticks = time.UtcTicks - DateTimeOffset.UnixEpoch.Ticks;
            (long seconds, long rest) = (Math.DivRem(ticks, TimeSpan.TicksPerSecond).Quotient, ticks % TimeSpan.TicksPerSecond);
            if (rest < 0)
            {
                (seconds, rest) = (seconds - 1, rest + TimeSpan.TicksPerSecond);
            }

            _accessSeconds = _changeSeconds = (nint)seconds;
            _accessNanoseconds = _changeNanoseconds = (nint)(rest * TimeSpan.NanosecondsPerTick);
        }
    }
}
