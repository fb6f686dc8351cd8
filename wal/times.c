#include "times.h"

#include <assert.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pages.h"
#include "raw.h"
#include "util/checksum.h"

#define ROW_MAGIC UINT32_C(0x31534d54) /* "TMS1" */

static_assert(sizeof(struct wal_times_row) == 48, "no padding");

void wal_times_add(struct wal_times *times, uint64_t time_ns)
{
    times->least_ns = time_ns < times->least_ns ? time_ns : times->least_ns;
    times->most_ns = time_ns > times->most_ns ? time_ns : times->most_ns;
}

bool wal_times_touch(const struct wal_times *times, const struct wal_period *period)
{
    return times->least_ns <= times->most_ns && times->most_ns >= period->since_ns &&
           times->least_ns < period->until_ns;
}

void wal_times_row_write(struct wal_times_row *ret_row, uint64_t first, uint64_t end,
                         const struct wal_times *times)
{
    *ret_row = (struct wal_times_row){.magic = ROW_MAGIC,
                                      .version = WAL_FORMAT_VERSION,
                                      .first = first,
                                      .end = end,
                                      .times = *times};
    ret_row->crc = hf_crc32c(0, ret_row, sizeof(*ret_row));
}

struct load {
    int fd;
    struct wal_times_row row;
    bool is_found;
};

static bool visit_row(void *user, uint64_t key, uint64_t offset, uint64_t size)
{
    struct load *load = user;

    if (key == WAL_KEY_TIMES && size == sizeof(load->row) &&
        wal_raw_read(load->fd, &load->row, sizeof(load->row), offset) == WAL_OK) {
        uint32_t crc = load->row.crc;
        load->row.crc = 0;
        load->is_found = load->row.magic == ROW_MAGIC && load->row.version != 0 &&
                         hf_crc32c(0, &load->row, sizeof(load->row)) == crc;
    }
    return key < WAL_KEY_TIMES;
}

bool wal_times_load(int directory_fd, const char *name, uint64_t first, uint64_t end,
                    struct wal_times *ret_times)
{
    struct load load = {.fd = openat(directory_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
    struct stat info;

    if (load.fd < 0) {
        return false;
    }
    if (fstat(load.fd, &info) == 0) {
        (void)!wal_pages_walk(load.fd, (uint64_t)info.st_size, NULL, visit_row, &load);
    }
    (void)close(load.fd);
    if (!load.is_found || load.row.first != first || load.row.end != end) {
        return false;
    }
    *ret_times = load.row.times;
    return true;
}
