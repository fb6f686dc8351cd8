/* The mount table, with what is odd in it. */
#include "components/receivers/hostmetrics/mounts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> /* needs the three before it */

#include "tree.h"

#define FILESYSTEMS "nodev\tproc\nnodev\ttmpfs\nnodev\tzfs\n\text4\n"

struct world {
    struct tree tree;
    struct host host;
    struct host_mounts mounts;
};

static void begin(struct world *world, const char *path, const char *table)
{
    *world = (struct world){0};
    tree_make(&world->tree);
    tree_text(&world->tree, "proc/filesystems", FILESYSTEMS);
    tree_text(&world->tree, path, table);
    assert_true(host_init(&world->host, world->tree.root));
}

static void end(struct world *world)
{
    host_mounts_release(&world->mounts);
    host_release(&world->host);
    tree_remove(&world->tree);
}

static void keeps_file_systems_on_devices(void **state)
{
    struct world world;
    (void)state;
    begin(&world, "proc/1/mountinfo",
          "1 1 8:1 / / rw,noatime shared:1 - ext4 /dev/sda1 rw\n"
          "2 1 8:1 / /with\\040blank\\134 ro - ext4 /dev/sda1 ro\n"
          "3 1 8:1 / / rw - ext4 /dev/sda1 rw\n" /* the same again */
          "4 1 0:1 / /proc rw - proc proc rw\n"
          "5 1 0:2 / /pool rw - zfs pool/a rw\n"
          "6 1 0:3 / /nothing rw - ext4 none rw\n"
          "7 1 0:4 / /odd nosuid - ext4 /dev/sdb rw\n"
          "8 1 0:5 / /short rw\n"
          "nonsense\n\n");
    assert_true(host_mounts_read(&world.mounts, &world.host, false));
    assert_int_equal(world.mounts.count, 4);
    assert_true(hf_slice_is(world.mounts.mounts[0].point, "/"));
    assert_string_equal(world.mounts.mounts[0].mode, "rw");
    assert_true(hf_slice_is(world.mounts.mounts[1].point, "/with blank\\"));
    assert_string_equal(world.mounts.mounts[1].mode, "ro");
    assert_true(hf_slice_is(world.mounts.mounts[2].type, "zfs"));
    assert_true(hf_slice_is(world.mounts.mounts[3].device, "/dev/sdb"));
    assert_string_equal(world.mounts.mounts[3].mode, "unknown");
    assert_true(host_mounts_read(&world.mounts, &world.host, true));
    assert_int_equal(world.mounts.count, 6);
    end(&world);
}

static void falls_back_to_the_table_of_this_process(void **state)
{
    struct world world;
    (void)state;
    begin(&world, "proc/self/mountinfo", "1 1 8:1 / / rw - ext4 /dev/sda1 rw\n");
    assert_true(host_mounts_read(&world.mounts, &world.host, false));
    assert_int_equal(world.mounts.count, 1);
    end(&world);
}

static void resolves_the_names_of_devices(void **state)
{
    struct world world;
    char target[160], link[160];
    (void)state;
    begin(&world, "proc/1/mountinfo",
          "1 1 253:0 / / rw - ext4 /dev/root rw\n"
          "2 1 253:1 / /data rw - ext4 /dev/mapper/group-data rw\n"
          "3 1 253:2 / /gone rw - ext4 /dev/mapper/gone rw\n");
    tree_text(&world.tree, "sys/dev/block/x", "");
    tree_text(&world.tree, "dev/mapper/x", "");
    tree_text(&world.tree, "dev/dm-1", "");
    snprintf(link, sizeof(link), "%s/sys/dev/block/253:0", world.tree.root);
    assert_int_equal(symlink("../../devices/virtual/block/vda1", link), 0);
    snprintf(link, sizeof(link), "%s/dev/mapper/group-data", world.tree.root);
    assert_int_equal(symlink("../dm-1", link), 0);
    assert_true(host_mounts_read(&world.mounts, &world.host, false));
    assert_int_equal(world.mounts.count, 3);
    assert_true(hf_slice_is(world.mounts.mounts[0].device, "/dev/vda1"));
    snprintf(target, sizeof(target), "%s/dev/dm-1", world.tree.root);
    assert_true(hf_slice_is(world.mounts.mounts[1].device, target));
    assert_true(hf_slice_is(world.mounts.mounts[2].device, "/dev/mapper/gone"));
    end(&world);
}

static void says_when_there_is_no_table(void **state)
{
    struct world world;
    (void)state;
    begin(&world, "proc/nothing", "");
    assert_false(host_mounts_read(&world.mounts, &world.host, false));
    end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_file_systems_on_devices),
        cmocka_unit_test(falls_back_to_the_table_of_this_process),
        cmocka_unit_test(resolves_the_names_of_devices),
        cmocka_unit_test(says_when_there_is_no_table),
    };
    return cmocka_run_group_tests_name("mounts", tests, NULL, NULL);
}
