#include "notify.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "util/time/clock.h"

/* The text of the status is kept up to date even without a watchdog. */
#define PERIOD_NS (5 * HF_NS_PER_S)
#define SEND_MAX_US 500000
#define NS_PER_US 1000

/* The whole of a variable as a number above zero; 0: it is none. */
static uint64_t number_of(const char *variable)
{
    const char *text = getenv(variable);
    if (text == NULL || text[0] < '0' || text[0] > '9') {
        return 0;
    }
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0' ? value : 0;
}

/* A path, or a name in the abstract namespace, which is written with @. */
static void take_address(struct hf_notify *notify)
{
    const char *path = getenv("NOTIFY_SOCKET");
    size_t size = path != NULL ? strlen(path) : 0;
    if (size < 2 || size >= sizeof(notify->address.sun_path) ||
        (path[0] != '/' && path[0] != '@')) {
        return;
    }
    notify->address.sun_family = AF_UNIX;
    memcpy(notify->address.sun_path, path, size);
    if (path[0] == '@') {
        notify->address.sun_path[0] = '\0';
    } else {
        size++; /* the NUL of a path is a part of it */
    }
    notify->address_bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
}

void hf_notify_init(struct hf_notify *notify)
{
    *notify = (struct hf_notify){0};
    take_address(notify);
    uint64_t watchdog_us = number_of("WATCHDOG_USEC");
    uint64_t pid = number_of("WATCHDOG_PID");
    notify->has_watchdog = watchdog_us != 0 && watchdog_us <= UINT64_MAX / NS_PER_US &&
                           (getenv("WATCHDOG_PID") == NULL || pid == (uint64_t)getpid());
    uint64_t period_ns = PERIOD_NS;
    if (notify->has_watchdog && watchdog_us * NS_PER_US / 2 < period_ns) {
        period_ns = watchdog_us * NS_PER_US / 2;
    }
    notify->period.tv_sec = (time_t)(period_ns / HF_NS_PER_S);
    notify->period.tv_nsec = (long)(period_ns % HF_NS_PER_S);
}

/* Each message by a socket of its own: a manager that has begun again is found. */
static void send_text(const struct hf_notify *notify, const char *text)
{
    if (notify->address_bytes == 0) {
        return;
    }
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return;
    }
    const struct timeval most = {.tv_usec = SEND_MAX_US};
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof(most));
    (void)sendto(fd, text, strlen(text), MSG_NOSIGNAL, (const struct sockaddr *)&notify->address,
                 notify->address_bytes);
    close(fd);
}

void hf_notify_ready(const struct hf_notify *notify)
{
    send_text(notify, "READY=1");
}

void hf_notify_reloading(const struct hf_notify *notify)
{
    char text[64];
    snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
             hf_clock_monotonic_ns() / NS_PER_US);
    send_text(notify, text);
}

void hf_notify_stopping(const struct hf_notify *notify)
{
    send_text(notify, "STOPPING=1");
}

void hf_notify_status(struct hf_notify *notify, const char *text)
{
    static const char key[] = "STATUS=";
    char status[HF_NOTIFY_STATUS_MAX];
    char message[sizeof(key) + sizeof(status)];
    snprintf(status, sizeof(status), "%s", text);
    for (char *at = status; *at != '\0'; at++) {
        if ((unsigned char)*at < ' ') {
            *at = ' ';
        }
    }
    if (strcmp(status, notify->status) != 0) {
        memcpy(notify->status, status, sizeof(status));
        snprintf(message, sizeof(message), "%s%s", key, status);
        send_text(notify, message);
    }
}

void hf_notify_alive(const struct hf_notify *notify)
{
    if (notify->has_watchdog) {
        send_text(notify, "WATCHDOG=1");
    }
}

const struct timespec *hf_notify_wait(const struct hf_notify *notify, const struct timespec *wait)
{
    const struct timespec *own = &notify->period;
    if (notify->address_bytes == 0) {
        return wait;
    }
    bool is_sooner = wait == NULL || own->tv_sec < wait->tv_sec ||
                     (own->tv_sec == wait->tv_sec && own->tv_nsec < wait->tv_nsec);
    return is_sooner ? own : wait;
}
