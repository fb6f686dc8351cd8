#include "sockets.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STATE_LISTEN 10u
#define PATH_MAX_BYTES 512

struct table {
    struct host_socket *items;
    size_t count, capacity;
};

static bool add(struct table *table, const struct host_socket *socket)
{
    if (table->count == HOST_SOCKETS_MAX) {
        return true;
    }
    if (table->count == table->capacity) {
        size_t capacity = 2 * table->capacity + 64;
        struct host_socket *items = reallocarray(table->items, capacity, sizeof(*items));
        if (items == NULL) {
            return false;
        }
        table->items = items;
        table->capacity = capacity;
    }
    table->items[table->count++] = *socket;
    return true;
}

/* ---- /proc/net ---- */

/* The kernel prints an address as words in its own byte order. */
static bool read_address(const char *hex, bool is_ipv6, char *ret_text, size_t room)
{
    uint32_t words[4] = {0};
    for (unsigned i = 0; i < (is_ipv6 ? 4u : 1u); i++) {
        if (sscanf(hex + 8 * i, "%8" SCNx32, &words[i]) != 1) {
            return false;
        }
    }
    return inet_ntop(is_ipv6 ? AF_INET6 : AF_INET, words, ret_text, (socklen_t)room) != NULL;
}

/* "sl: local:port remote:port state tx:rx tr:when retransmits uid timeout inode ..." */
static bool read_row(const char *row, struct host_socket *socket)
{
    char local[33], remote[33];
    unsigned port, remote_port, state;
    size_t size = socket->is_ipv6 ? 32 : 8;
    if (sscanf(row, " %*u: %32[0-9A-Fa-f]:%4x %32[0-9A-Fa-f]:%4x %2x %*s %*s %*s %*u %*u %" SCNu64,
               local, &port, remote, &remote_port, &state, &socket->inode) != 6 ||
        strlen(local) != size) {
        return false;
    }
    socket->port = (uint16_t)port;
    return (socket->is_udp ? remote_port == 0 : state == STATE_LISTEN) &&
           read_address(local, socket->is_ipv6, socket->address, sizeof(socket->address));
}

static enum hf_status read_file(const char *proc, const char *name, struct table *table)
{
    char path[PATH_MAX_BYTES], row[512];
    struct host_socket socket = {.is_udp = name[0] == 'u', .is_ipv6 = strchr(name, '6') != NULL};
    snprintf(path, sizeof(path), "%s/net/%s", proc, name);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return HF_IO;
    }
    enum hf_status status = HF_OK;
    while (status == HF_OK && fgets(row, sizeof(row), file) != NULL) {
        if (read_row(row, &socket) && !add(table, &socket)) {
            status = HF_NOMEM;
        }
    }
    fclose(file);
    return status;
}

/* ---- the processes ---- */

static int by_inode(const void *a, const void *b)
{
    const struct host_socket *left = a, *right = b;
    return left->inode < right->inode ? -1 : left->inode > right->inode;
}

static void note_pid(struct table *table, uint64_t inode, int pid)
{
    struct host_socket key = {.inode = inode};
    struct host_socket *found =
        table->count != 0 ? bsearch(&key, table->items, table->count, sizeof(key), by_inode) : NULL;
    if (found != NULL && (found->pid == 0 || pid < found->pid)) {
        found->pid = pid;
    }
}

static void read_process(const char *proc, int pid, struct table *table)
{
    char path[PATH_MAX_BYTES], target[64];
    snprintf(path, sizeof(path), "%s/%d/fd", proc, pid);
    DIR *folder = opendir(path);
    if (folder == NULL) {
        return; /* it has ended, or is another user's */
    }
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        uint64_t inode;
        ssize_t size = readlinkat(dirfd(folder), entry->d_name, target, sizeof(target) - 1);
        target[size > 0 ? size : 0] = '\0';
        if (size > 0 && sscanf(target, "socket:[%" SCNu64 "]", &inode) == 1) {
            note_pid(table, inode, pid);
        }
    }
    closedir(folder);
}

static void read_processes(const char *proc, struct table *table)
{
    DIR *folder = opendir(proc);
    if (folder == NULL) {
        return;
    }
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        if (isdigit((unsigned char)entry->d_name[0])) {
            read_process(proc, (int)strtol(entry->d_name, NULL, 10), table);
        }
    }
    closedir(folder);
}

enum hf_status host_sockets_read(const char *proc, struct host_socket **ret_sockets,
                                 size_t *ret_count)
{
    static const char *const names[] = {"tcp", "tcp6", "udp", "udp6"};
    struct table table = {0};
    bool is_any = false;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        enum hf_status status = read_file(proc, names[i], &table);
        is_any = is_any || status == HF_OK; /* without IPv6 there are two files */
        if (status == HF_NOMEM) {
            free(table.items);
            return HF_NOMEM;
        }
    }
    if (!is_any) {
        free(table.items);
        return HF_IO;
    }
    if (table.count != 0) {
        qsort(table.items, table.count, sizeof(*table.items), by_inode);
    }
    read_processes(proc, &table);
    *ret_sockets = table.items;
    *ret_count = table.count;
    return HF_OK;
}

/* The file's bytes with a NUL behind them, cut at `room`; -1: there is none. */
static ssize_t read_small(const char *proc, int pid, const char *name, char *ret_text, size_t room)
{
    char path[PATH_MAX_BYTES];
    snprintf(path, sizeof(path), "%s/%d/%s", proc, pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    size_t size = 0;
    ssize_t got = 1;
    while (got > 0 && size < room - 1) {
        got = read(fd, ret_text + size, room - 1 - size);
        size += got > 0 ? (size_t)got : 0;
    }
    close(fd);
    ret_text[size] = '\0';
    return (ssize_t)size;
}

bool host_process_read(const char *proc, int pid, char *ret_name, size_t name_room,
                       char *ret_command, size_t command_room)
{
    ssize_t size = read_small(proc, pid, "comm", ret_name, name_room);
    if (size < 0) {
        return false;
    }
    ret_name[strcspn(ret_name, "\n")] = '\0';
    size = read_small(proc, pid, "cmdline", ret_command, command_room);
    if (size < 0) {
        return false;
    }
    /* The kernel cuts a name at 15 bytes; the program's own name may have the rest of it. */
    const char *slash = strrchr(ret_command, '/');
    const char *program = slash != NULL ? slash + 1 : ret_command;
    if (strlen(ret_name) == 15 && strncmp(program, ret_name, 15) == 0) {
        snprintf(ret_name, name_room, "%.200s", program);
    }
    while (size > 0 && ret_command[size - 1] == '\0') {
        size--;
    }
    for (ssize_t i = 0; i < size; i++) {
        ret_command[i] = ret_command[i] == '\0' ? ' ' : ret_command[i];
    }
    return true;
}
