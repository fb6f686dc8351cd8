#include "truth.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

bool storm_truth_open(struct storm_truth *truth, const char *path, uint64_t count)
{
    struct stat info;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || fstat(fd, &info) != 0) {
        return false;
    }
    if (count == 0) {
        count = (uint64_t)info.st_size;
    } else if ((uint64_t)info.st_size < count && ftruncate(fd, (off_t)count) != 0) {
        close(fd);
        return false;
    }
    void *map =
        count != 0 ? mmap(NULL, count, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
    close(fd);
    if (map == MAP_FAILED) {
        return false;
    }
    *truth = (struct storm_truth){.marks = map, .count = count};
    return true;
}

bool storm_truth_mark(struct storm_truth *truth, uint64_t number)
{
    if (number >= truth->count) {
        return false;
    }
    if (atomic_load_explicit(&truth->marks[number], memory_order_relaxed) != 255) {
        atomic_fetch_add_explicit(&truth->marks[number], 1, memory_order_relaxed);
    }
    return true;
}

void storm_truth_close(struct storm_truth *truth)
{
    if (truth->marks != NULL) {
        munmap((void *)(uintptr_t)truth->marks, truth->count);
    }
    *truth = (struct storm_truth){.marks = 0};
}
