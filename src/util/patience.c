#include "patience.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "util/time/clock.h"

enum hf_status hf_wait_for(int fd, short events, const struct hf_patience *patience)
{
    struct pollfd both[2] = {{fd, events, 0}, {patience->stop_fd, POLLIN, 0}};
    for (;;) {
        uint64_t now_ns = hf_clock_monotonic_ns();
        if (now_ns >= patience->until_ns) {
            return HF_DEADLINE;
        }
        uint64_t left_ms = (patience->until_ns - now_ns) / HF_NS_PER_MS + 1;
        int rc = poll(both, 2, left_ms < 3600000 ? (int)left_ms : 3600000);
        if (rc < 0 && errno != EINTR) {
            return HF_IO;
        }
        if (rc > 0) {
            return both[1].revents != 0 ? HF_CLOSED : HF_OK;
        }
    }
}

int hf_stop_fd_open(void)
{
    return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

void hf_stop_fd_trip(int fd)
{
    uint64_t one = 1;
    ssize_t written = write(fd, &one, sizeof(one));
    (void)written; /* full: it is readable anyway */
}
