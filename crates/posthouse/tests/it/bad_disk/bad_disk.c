/* Calls that reach the disk, one of which fails when it is told to. Loaded before the C library,
 * so that the real binary runs as it is.
 *
 * POSTHOUSE_TEST_FAULT names a file; while it is there, its two words say which call fails ("sync"
 * or "write", or "hang" for a sync that never ends) and how the path ends that it is made for. The
 * file goes with the first such call, so that whoever tries the call again succeeds, as with a kernel that has dropped what it could
 * not write. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int fails(const char *call, int file)
{
    const char *fault = getenv("POSTHOUSE_TEST_FAULT");
    FILE *stream = fault ? fopen(fault, "r") : NULL;
    if (!stream)
        return 0;
    char wanted[16] = "", ending[64] = "", link[64], path[4096] = "";
    fscanf(stream, "%15s %63s", wanted, ending);
    fclose(stream);
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    size_t ending_length = strlen(ending);
    if (strcmp(call, wanted) || length < (ssize_t)ending_length || !ending_length)
        return 0;
    if (strcmp(path + length - ending_length, ending) || unlink(fault))
        return 0;
    errno = EIO;
    return 1;
}

static void hang_if_told(int file)
{
    if (fails("hang", file))
        for (;;)
            pause();
}

int fsync(int file)
{
    hang_if_told(file);
    return fails("sync", file) ? -1 : (int)syscall(SYS_fsync, file);
}

int fdatasync(int file)
{
    hang_if_told(file);
    return fails("sync", file) ? -1 : (int)syscall(SYS_fdatasync, file);
}

ssize_t pwrite64(int file, const void *bytes, size_t count, off_t at)
{
    return fails("write", file) ? -1 : syscall(SYS_pwrite64, file, bytes, count, at);
}

ssize_t pwrite(int file, const void *bytes, size_t count, off_t at)
{
    return pwrite64(file, bytes, count, at);
}
