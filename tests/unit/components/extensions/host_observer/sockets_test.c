#include "components/extensions/host_observer/sockets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char proc[64];

static void put(const char *name, const char *text)
{
    char path[200];
    snprintf(path, sizeof(path), "%s/%s", proc, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void make_folder(const char *name)
{
    char path[200];
    snprintf(path, sizeof(path), "%s/%s", proc, name);
    assert_int_equal(mkdir(path, 0700), 0);
}

static void link_fd(const char *name, const char *target)
{
    char path[200];
    snprintf(path, sizeof(path), "%s/%s", proc, name);
    assert_int_equal(symlink(target, path), 0);
}

static int make_tree(void **state)
{
    (void)state;
    snprintf(proc, sizeof(proc), "/tmp/sockets_test.XXXXXX");
    assert_non_null(mkdtemp(proc));
    make_folder("net");
    put("net/tcp", "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   "
                   "uid  timeout "
                   "inode\n"
                   "   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000    "
                   " 0        0 "
                   "30 1 0 100 0 0 10 0\n"
                   "   1: 0100007F:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000   "
                   "104        0 "
                   "10 1 0 100 0 0 10 0\n"
                   "   2: 0100007F:1538 0100007F:9C40 01 00000000:00000000 00:00000000 00000000   "
                   "104        0 "
                   "11 1 0 20 0 0 10 -1\n"
                   "nonsense\n");
    put("net/tcp6",
        "  sl  local_address                         remote_address                        st ...\n"
        "   0: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 0A "
        "00000000:00000000 00:00000000 00000000     0        0 20 1 0 100 0 0 10 0\n");
    put("net/udp",
        "   sl  local_address rem_address   st ...\n"
        "  1: 3500007F:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000   101        0 "
        "40 2 0 0\n"
        "  2: 0100007F:0035 0100007F:1234 01 00000000:00000000 00:00000000 00000000   101        0 "
        "41 2 0 0\n");
    make_folder("77");
    make_folder("77/fd");
    link_fd("77/fd/3", "socket:[10]");
    link_fd("77/fd/4", "/dev/null");
    make_folder("8");
    make_folder("8/fd");
    link_fd("8/fd/0", "socket:[10]");
    put("8/comm", "a-very-long-nam\n");
    char path[200];
    snprintf(path, sizeof(path), "%s/8/cmdline", proc);
    FILE *file = fopen(path, "w");
    fwrite("/usr/bin/a-very-long-name\0--flag\0\0x\0\0", 1, 37, file);
    fclose(file);
    return 0;
}

static int remove_tree(void **state)
{
    char command[100];
    (void)state;
    snprintf(command, sizeof(command), "rm -rf %s", proc);
    return system(command);
}

static const struct host_socket *find(const struct host_socket *sockets, size_t count,
                                      uint64_t inode)
{
    for (size_t i = 0; i < count; i++) {
        if (sockets[i].inode == inode) {
            return &sockets[i];
        }
    }
    return NULL;
}

static void those_that_listen_are_found_with_their_processes(void **state)
{
    struct host_socket *sockets = NULL;
    size_t count = 0;
    (void)state;
    assert_int_equal(host_sockets_read(proc, &sockets, &count), HF_OK);
    assert_int_equal(count, 4);
    const struct host_socket *one = find(sockets, count, 10);
    assert_string_equal(one->address, "127.0.0.1");
    assert_int_equal(one->port, 5432);
    assert_int_equal(one->pid, 8); /* the lowest of those that have it */
    assert_false(one->is_udp || one->is_ipv6);
    assert_string_equal(find(sockets, count, 30)->address, "0.0.0.0");
    assert_int_equal(find(sockets, count, 30)->pid, 0);
    one = find(sockets, count, 20);
    assert_string_equal(one->address, "::1");
    assert_true(one->is_ipv6);
    assert_int_equal(one->port, 80);
    assert_true(find(sockets, count, 40)->is_udp);
    assert_null(find(sockets, count, 41));
    free(sockets);
}

static void a_process_has_its_whole_name_and_its_command(void **state)
{
    char name[100], command[100];
    (void)state;
    assert_true(host_process_read(proc, 8, name, sizeof(name), command, sizeof(command)));
    assert_string_equal(name, "a-very-long-name");
    assert_string_equal(command, "/usr/bin/a-very-long-name --flag  x");
    assert_false(host_process_read(proc, 9, name, sizeof(name), command, sizeof(command)));
}

static void without_files_it_fails(void **state)
{
    struct host_socket *sockets = NULL;
    size_t count = 0;
    (void)state;
    assert_int_equal(host_sockets_read("/nowhere", &sockets, &count), HF_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(those_that_listen_are_found_with_their_processes),
        cmocka_unit_test(a_process_has_its_whole_name_and_its_command),
        cmocka_unit_test(without_files_it_fails),
    };
    return cmocka_run_group_tests(tests, make_tree, remove_tree);
}
