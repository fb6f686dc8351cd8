#include "orders.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "util/time/clock.h"

#define RETRY_MS 20
#define FOREVER_NS (3600 * HF_NS_PER_S) /* longer than any sender waits */

static void set(struct storm_orders *orders, enum storm_mode mode, int code, uint64_t number)
{
    orders->code = code;
    orders->number = number;
    orders->seen = 0;
    orders->mode = (int)mode;
}

bool storm_orders_take(struct storm_orders *orders, const char *line)
{
    int code = 0;
    unsigned number = 0;
    if (strcmp(line, "ok") == 0) {
        set(orders, STORM_OK, 0, 0);
    } else if (sscanf(line, "code %d", &code) == 1) {
        set(orders, STORM_CODE, code, 0);
    } else if (sscanf(line, "retry %d %u", &code, &number) >= 1) {
        set(orders, STORM_RETRY, code, number != 0 ? number : RETRY_MS);
    } else if (sscanf(line, "some %u %d", &number, &code) == 2) {
        set(orders, STORM_SOME, code, number);
    } else if (strcmp(line, "hang") == 0) {
        set(orders, STORM_HANG, 0, 0);
    } else if (sscanf(line, "slow %u %d", &number, &code) >= 1) {
        set(orders, STORM_SLOW, code, number);
    } else if (strcmp(line, "cut") == 0) {
        set(orders, STORM_CUTTING, 0, 1);
    } else if (sscanf(line, "cut %u", &number) == 1 && number != 0) {
        set(orders, STORM_CUTTING, 0, number);
    } else if (sscanf(line, "partial %u", &number) == 1) {
        set(orders, STORM_PARTIAL, 0, number);
    } else {
        return false;
    }
    return true;
}

struct storm_order storm_orders_next(struct storm_orders *orders)
{
    int code = orders->code;
    uint64_t number = orders->number;
    switch ((enum storm_mode)orders->mode) {
    case STORM_CODE:
        return (struct storm_order){.code = code};
    case STORM_RETRY:
        return (struct storm_order){.code = code, .delay_ns = number * HF_NS_PER_MS};
    case STORM_SOME:
        /* Spread evenly, and every run alike: request k is refused when k * share wraps. */
        return (struct storm_order){.code = orders->seen++ * number % 100 < number ? code : 0};
    case STORM_HANG:
        return (struct storm_order){STORM_ANSWER_LATER, .code = 14, .delay_ns = FOREVER_NS};
    case STORM_SLOW:
        return (struct storm_order){STORM_ANSWER_LATER, code, number * HF_NS_PER_MS, 0};
    case STORM_CUTTING:
        return (struct storm_order){++orders->seen % number == 0 ? STORM_CUT : STORM_ANSWER,
                                    .code = 0};
    case STORM_PARTIAL:
        return (struct storm_order){.rejected = number};
    case STORM_OK:
    default:
        return (struct storm_order){STORM_ANSWER, .code = 0};
    }
}

static bool is_peer(int fd, const char *peer)
{
    struct sockaddr_in address;
    socklen_t size = sizeof(address);
    char host[INET_ADDRSTRLEN];
    char text[64];
    if (getpeername(fd, (struct sockaddr *)&address, &size) != 0 || address.sin_family != AF_INET) {
        return false;
    }
    inet_ntop(AF_INET, &address.sin_addr, host, sizeof(host));
    snprintf(text, sizeof(text), "%s:%u", host, ntohs(address.sin_port));
    return strcmp(text, peer) == 0;
}

void storm_cut(const char *peer, const char *bytes, unsigned size)
{
    DIR *directory = opendir("/proc/self/fd");
    if (directory == NULL) {
        return;
    }
    for (const struct dirent *entry = readdir(directory); entry != NULL;
         entry = readdir(directory)) {
        int fd = (int)strtol(entry->d_name, NULL, 10);
        if (fd > 2 && is_peer(fd, peer)) {
            /* When nothing fits the peer sees no beginning; a cut it is all the same. */
            ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
            (void)sent;
            shutdown(fd, SHUT_RDWR);
        }
    }
    closedir(directory);
}
