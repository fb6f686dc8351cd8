#include "connections.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#define ADDRESS_SIZE 40u /* room of one listener's address */
#define LISTENERS_MAX 4096u
#define ANSWER_SIZE 32768u
#define ALL_STATES 0x1ffeu /* 1 to 12: the last is a kind of SYN_RECV */
#define ANSWER_SECONDS 5

struct counting {
    struct hf_bytes *listeners;
    uint64_t *counts;
};

/* `address` has at most ADDRESS_SIZE bytes. */
static bool is_new_listener(struct hf_bytes *listeners, const void *address, size_t size)
{
    uint8_t entry[ADDRESS_SIZE] = {0};
    memcpy(entry, address, size);
    for (size_t at = 0; at < listeners->size; at += ADDRESS_SIZE) {
        if (memcmp(listeners->data + at, entry, ADDRESS_SIZE) == 0) {
            return false;
        }
    }
    /* Without memory or beyond the limit a listener may be counted twice. */
    if (listeners->size < LISTENERS_MAX * ADDRESS_SIZE) {
        enum hf_status status = hf_bytes_append(listeners, hf_slice_of(entry, ADDRESS_SIZE));
        (void)status;
    }
    return true;
}

static void count(struct counting *counting, uint64_t state, const void *address, size_t size)
{
    if (state == 0 || state >= CONNECTION_STATES || size > ADDRESS_SIZE) {
        return;
    }
    counting->counts[state] +=
        state != CONNECTION_LISTEN || is_new_listener(counting->listeners, address, size);
}

/* ---- by netlink ---- */

static void count_message(struct counting *counting, const struct inet_diag_msg *message)
{
    uint8_t address[1 + sizeof(message->id.idiag_src) + sizeof(message->id.idiag_sport)];
    address[0] = message->idiag_family;
    memcpy(address + 1, message->id.idiag_src, sizeof(message->id.idiag_src));
    memcpy(address + 1 + sizeof(message->id.idiag_src), &message->id.idiag_sport,
           sizeof(message->id.idiag_sport));
    count(counting, message->idiag_state, address, sizeof(address));
}

/* One datagram of the answer. `ret_done`: it was the last. */
static bool count_datagram(struct counting *counting, const uint8_t *data, size_t size,
                           bool *ret_done)
{
    while (size >= sizeof(struct nlmsghdr)) {
        struct nlmsghdr head;
        memcpy(&head, data, sizeof(head));
        if (head.nlmsg_len < sizeof(head) || head.nlmsg_len > size) {
            errno = EBADMSG;
            return false;
        }
        if (head.nlmsg_type == NLMSG_DONE) {
            *ret_done = true;
            return true;
        }
        if (head.nlmsg_type == NLMSG_ERROR) {
            errno = EOPNOTSUPP;
            return false;
        }
        struct inet_diag_msg message;
        if (head.nlmsg_len >= NLMSG_HDRLEN + sizeof(message)) {
            memcpy(&message, data + NLMSG_HDRLEN, sizeof(message));
            count_message(counting, &message);
        }
        size_t used = NLMSG_ALIGN(head.nlmsg_len);
        used = used < size ? used : size;
        data += used;
        size -= used;
    }
    return true;
}

static bool ask(int fd, unsigned char family)
{
    struct {
        struct nlmsghdr head;
        struct inet_diag_req_v2 request;
    } message = {
        .head = {.nlmsg_len = sizeof(message),
                 .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                 .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
        .request = {.sdiag_family = family,
                    .sdiag_protocol = IPPROTO_TCP,
                    .idiag_states = ALL_STATES},
    };
    return send(fd, &message, sizeof(message), 0) == (ssize_t)sizeof(message);
}

static bool count_family(struct counting *counting, int fd, unsigned char family)
{
    uint8_t answer[ANSWER_SIZE];
    bool done = false;
    if (!ask(fd, family)) {
        return false;
    }
    while (!done) {
        ssize_t size = recv(fd, answer, sizeof(answer), 0);
        if (size < 0 && errno == EINTR) {
            continue;
        }
        if (size <= 0 || !count_datagram(counting, answer, (size_t)size, &done)) {
            return false;
        }
    }
    return true;
}

static bool count_by_netlink(struct counting *counting)
{
    const struct timeval limit = {.tv_sec = ANSWER_SECONDS};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (fd < 0) {
        return false;
    }
    bool done = setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0 &&
                count_family(counting, fd, AF_INET) && count_family(counting, fd, AF_INET6);
    close(fd);
    return done;
}

/* ---- by files ---- */

/* "sl: local remote state ...", the first line being a head. */
static void count_row(struct counting *counting, struct hf_slice line)
{
    struct hf_slice local, word;
    uint64_t state;
    if (host_skip_words(&line, 1) && host_next_word(&line, &local) && host_skip_words(&line, 1) &&
        host_next_word(&line, &word) && host_number_of(word, 16, &state)) {
        count(counting, state, local.data, local.size);
    }
}

/* The file may be long: it is read by lines. */
static bool count_file(struct counting *counting, const struct host *host, const char *name)
{
    char path[HOST_PATH_MAX + 32], row[512];
    FILE *file = NULL;
    if (host->root[0] != '\0') {
        snprintf(path, sizeof(path), "%s/1/net/%s", host->proc, name);
        file = fopen(path, "re");
    }
    if (file == NULL) {
        snprintf(path, sizeof(path), "%s/net/%s", host->proc, name);
        file = fopen(path, "re");
    }
    if (file == NULL) {
        return false;
    }
    while (fgets(row, sizeof(row), file) != NULL) {
        count_row(counting, hf_slice_text(row));
    }
    bool done = ferror(file) == 0;
    fclose(file);
    return done;
}

/* Is the network that is to be measured the one of this process? */
static bool is_own_network(const struct host *host)
{
    struct stat own, theirs;
    char path[HOST_PATH_MAX + 32];
    if (strcmp(host->proc, "/proc") == 0) {
        return true;
    }
    snprintf(path, sizeof(path), "%s/1/ns/net", host->proc);
    return stat(path, &theirs) == 0 && stat("/proc/self/ns/net", &own) == 0 &&
           own.st_ino == theirs.st_ino && own.st_dev == theirs.st_dev;
}

bool host_count_connections(const struct host *host, struct hf_bytes *listeners, uint64_t *counts)
{
    struct counting counting = {.listeners = listeners, .counts = counts};
    listeners->size = 0;
    memset(counts, 0, CONNECTION_STATES * sizeof(counts[0]));
    if (is_own_network(host) && count_by_netlink(&counting)) {
        return true;
    }
    listeners->size = 0;
    memset(counts, 0, CONNECTION_STATES * sizeof(counts[0]));
    bool has_4 = count_file(&counting, host, "tcp");
    bool has_6 = count_file(&counting, host, "tcp6");
    return has_4 || has_6;
}
