/*
 * notify: the service manager is told how the program is, by systemd's protocol: datagrams to the
 * Unix socket that NOTIFY_SOCKET names. Without that variable nothing is sent. A message that
 * cannot be sent is given up after half a second: no data waits for it. Main thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#define HF_NOTIFY_STATUS_MAX 256

/* All zero: there is no service manager. */
struct hf_notify {
    struct sockaddr_un address;
    socklen_t address_bytes;
    struct timespec period; /* between two signs of life */
    bool has_watchdog;
    char status[HF_NOTIFY_STATUS_MAX]; /* sent last */
};

/* Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID. A path of another kind or a time that is no
 * number counts as not given. */
void hf_notify_init(struct hf_notify *notify);

/* READY=1: the start, or a reload, is over. */
void hf_notify_ready(const struct hf_notify *notify);
/* RELOADING=1, with the time at which it begins. hf_notify_ready() follows, however it ended. */
void hf_notify_reloading(const struct hf_notify *notify);
/* STOPPING=1 */
void hf_notify_stopping(const struct hf_notify *notify);
/* STATUS=: one line for `systemctl status`; sent when it differs from the one before. Control
 * characters become spaces; what is longer than HF_NOTIFY_STATUS_MAX is cut. */
void hf_notify_status(struct hf_notify *notify, const char *text);
/* WATCHDOG=1, where the service manager asks for it. */
void hf_notify_alive(const struct hf_notify *notify);

/* The shorter of `wait` (NULL: for ever) and the time until the next sign of life. */
const struct timespec *hf_notify_wait(const struct hf_notify *notify, const struct timespec *wait);
