/* Mounts that end with a pod or a container, by what the kernel says of them. */
#include "service/ephemeral.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> /* needs the three before it */

#define ROOT "1 0 0:50 / / rw,relatime - overlay overlay rw\n"
#define POD "/var/lib/kubelet/pods/0a1b/volumes/"

static void emptydirs_and_anonymous_volumes_are_known(void **state)
{
    static const struct {
        const char *mounts, *directory;
        bool expected;
    } rows[] = {
        {"", "/var/lib/holdfast", false},
        {ROOT, "/var/lib/holdfast", false},
        {ROOT "2 1 8:1 " POD
              "kubernetes.io~empty-dir/queue /var/lib/holdfast rw - ext4 /dev/a rw\n",
         "/var/lib/holdfast", true},
        {ROOT "2 1 8:1 " POD
              "kubernetes.io~empty-dir/queue /var/lib/holdfast rw - ext4 /dev/a rw\n",
         "/var/lib/holdfast/below", true},
        {ROOT "2 1 8:1 " POD
              "kubernetes.io~empty-dir/queue /var/lib/holdfast rw - ext4 /dev/a rw\n",
         "/var/lib/holdfast2", false},
        {ROOT "2 1 8:1 " POD
              "kubernetes.io~csi/pvc-1/mount /var/lib/holdfast rw - ext4 /dev/a rw\n",
         "/var/lib/holdfast", false},
        {ROOT "2 1 8:1 /data/holdfast /var/lib/holdfast rw - ext4 /dev/a rw", "/var/lib/holdfast",
         false},
        {ROOT "2 1 8:1 /var/lib/containerd/io.containerd.grpc.v1.cri/containers/9f/volumes/77 "
              "/var/lib/holdfast rw - ext4 /dev/a rw\n",
         "/var/lib/holdfast", true},
        {ROOT "2 1 8:1 /lib/containerd/io.containerd.grpc.v1.cri/containers/9f/hosts /etc/hosts rw"
              " - ext4 /dev/a rw\n",
         "/etc/hosts", false},
        /* The innermost mount counts, and of two on one place the later. */
        {ROOT "2 1 8:1 " POD "kubernetes.io~empty-dir/all /var rw - ext4 /dev/a rw\n"
              "3 2 8:2 / /var/lib/holdfast rw - xfs /dev/b rw\n",
         "/var/lib/holdfast", false},
        {ROOT "2 1 8:2 / /queue rw - xfs /dev/b rw\n"
              "3 2 8:1 " POD "kubernetes.io~empty-dir/q /queue rw - ext4 /dev/a rw\n",
         "/queue", true},
        {ROOT "2 1 8:1 " POD "kubernetes.io~empty-dir/q /my\\040queue rw - ext4 /dev/a rw\n",
         "/my queue", true},
        {"garbage\n\n   \n", "/queue", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(hf_ephemeral_by_mounts(rows[i].mounts, rows[i].directory),
                         rows[i].expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(emptydirs_and_anonymous_volumes_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
