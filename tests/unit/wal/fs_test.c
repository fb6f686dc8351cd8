/* File systems on which a lock or a sync is somebody else's word are refused. */
#include "queue.h"

#include <sys/syscall.h>
#include <sys/vfs.h>

static long type; /* what the file system claims to be; 0: the truth */

/* Instead of the C library's, for the whole program. */
int fstatfs(int fd, struct statfs *ret_info)
{
    int rc = (int)syscall(SYS_fstatfs, fd, ret_info);

    if (type != 0) {
        ret_info->f_type = type;
    }
    return rc;
}

static void refuses_network_file_systems(void **state)
{
    static const long remote[] = {0x6969,     0xff534d42, 0xfe534d42, 0x517b,
                                  0x564c,     0x5346414f, 0x6b414653, 0x73757245,
                                  0x01021997, 0x00c36400, 0x0bd00bd0, 0x47504653};
    struct queue *queue = *state;

    for (size_t i = 0; i < sizeof(remote) / sizeof(remote[0]); i++) {
        type = remote[i];
        assert_int_equal(wal_open(&queue->options, &queue->wal), WAL_REMOTE);
        assert_null(queue->wal);
        type = (long)(int)remote[i]; /* as a kernel gives it whose numbers have 32 bits */
        assert_int_equal(wal_open(&queue->options, &queue->wal), WAL_REMOTE);
    }
    assert_non_null(strstr(wal_status_text(WAL_REMOTE), "network"));
}

static void takes_local_ones(void **state)
{
    /* ext4, XFS, btrfs, tmpfs, overlay, FUSE (which may be local). */
    static const long local[] = {0,          0xef53,     0x58465342, 0x9123683e,
                                 0x01021994, 0x794c7630, 0x65735546};
    struct queue *queue = *state;

    for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++) {
        type = local[i];
        queue_open(queue);
        queue_close(queue);
    }
}

static int setup(void **state)
{
    type = 0;
    *state = queue_new();
    return 0;
}

static int teardown(void **state)
{
    type = 0;
    queue_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(refuses_network_file_systems, setup, teardown),
        cmocka_unit_test_setup_teardown(takes_local_ones, setup, teardown),
    };
    return cmocka_run_group_tests_name("fs", tests, NULL, NULL);
}
