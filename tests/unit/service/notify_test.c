/* What the service manager is told: read from a socket of the kind that systemd listens on. */
#include "service/notify.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h> /* needs the three before it */

#include "util/time/clock.h"

#define VARIABLES                                                                                  \
    {                                                                                              \
        "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"                                           \
    }

struct manager {
    int fd;
    char folder[32];
    char path[48];
};

static int begin(void **state)
{
    static struct manager manager;
    static const char *const variables[] = VARIABLES;
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
        unsetenv(variables[i]);
    }
    snprintf(manager.folder, sizeof(manager.folder), "/tmp/hf-notify-XXXXXX");
    if (mkdtemp(manager.folder) == NULL) {
        return -1;
    }
    snprintf(manager.path, sizeof(manager.path), "%s/socket", manager.folder);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", manager.path);
    manager.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (manager.fd < 0 || bind(manager.fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        return -1;
    }
    setenv("NOTIFY_SOCKET", manager.path, 1);
    *state = &manager;
    return 0;
}

static int end(void **state)
{
    struct manager *manager = *state;
    close(manager->fd);
    unlink(manager->path);
    return rmdir(manager->folder);
}

/* The next message; "" when there is none. A datagram on one machine is there when it is sent. */
static const char *heard(struct manager *manager)
{
    static char text[1024];
    ssize_t size = recv(manager->fd, text, sizeof(text) - 1, 0);
    text[size < 0 ? 0 : size] = '\0';
    return text;
}

static struct hf_notify made(void)
{
    struct hf_notify notify;
    hf_notify_init(&notify);
    return notify;
}

static void says_what_happens(void **state)
{
    struct hf_notify notify = made();
    hf_notify_ready(&notify);
    assert_string_equal(heard(*state), "READY=1");
    hf_notify_stopping(&notify);
    assert_string_equal(heard(*state), "STOPPING=1");
    assert_string_equal(heard(*state), "");
}

static void says_when_a_reload_begins(void **state)
{
    struct hf_notify notify = made();
    uint64_t before_us = hf_clock_monotonic_ns() / 1000;
    hf_notify_reloading(&notify);
    uint64_t after_us = hf_clock_monotonic_ns() / 1000, said_us = 0;
    assert_int_equal(sscanf(heard(*state), "RELOADING=1\nMONOTONIC_USEC=%" SCNu64, &said_us), 1);
    assert_in_range(said_us, before_us, after_us);
}

static void says_a_status_once_and_in_one_line(void **state)
{
    struct hf_notify notify = made();
    char longer[2 * HF_NOTIFY_STATUS_MAX];
    hf_notify_status(&notify, "Running");
    assert_string_equal(heard(*state), "STATUS=Running");
    hf_notify_status(&notify, "Running");
    assert_string_equal(heard(*state), "");
    hf_notify_status(&notify, "Not ready:\nREADY=1\tno");
    assert_string_equal(heard(*state), "STATUS=Not ready: READY=1 no");
    memset(longer, 'x', sizeof(longer));
    longer[sizeof(longer) - 1] = '\0';
    hf_notify_status(&notify, longer);
    assert_int_equal(strlen(heard(*state)), strlen("STATUS=") + HF_NOTIFY_STATUS_MAX - 1);
}

static void finds_a_name_in_the_abstract_namespace(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char name[64];
    struct manager abstract = {.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0)};
    (void)state;
    int size = snprintf(name, sizeof(name), "@hf-notify-%d", (int)getpid());
    memcpy(address.sun_path + 1, name + 1, (size_t)size - 1);
    socklen_t bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)size);
    assert_int_equal(bind(abstract.fd, (struct sockaddr *)&address, bytes), 0);
    setenv("NOTIFY_SOCKET", name, 1);
    struct hf_notify notify = made();
    hf_notify_ready(&notify);
    assert_string_equal(heard(&abstract), "READY=1");
    close(abstract.fd);
}

static void says_nothing_without_an_address(void **state)
{
    char longer[sizeof(((struct sockaddr_un *)NULL)->sun_path) + 8];
    memset(longer, 'x', sizeof(longer));
    longer[0] = '/';
    longer[sizeof(longer) - 1] = '\0';
    const char *const values[] = {NULL, "", "/", "@", "relative", "vsock:2:1", longer};
    const struct timespec second = {1, 0};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        if (values[i] != NULL) {
            setenv("NOTIFY_SOCKET", values[i], 1);
        } else {
            unsetenv("NOTIFY_SOCKET");
        }
        struct hf_notify notify = made();
        hf_notify_ready(&notify);
        hf_notify_status(&notify, "Running");
        assert_int_equal(notify.address_bytes, 0);
        assert_null(hf_notify_wait(&notify, NULL));
        assert_ptr_equal(hf_notify_wait(&notify, &second), &second);
    }
    assert_string_equal(heard(*state), "");
}

static void goes_on_without_a_manager_that_listens(void **state)
{
    struct manager *manager = *state;
    struct hf_notify notify = made();
    unlink(manager->path);
    hf_notify_ready(&notify);
    assert_string_equal(heard(manager), "");
}

static void gives_up_a_message_that_is_not_taken(void **state)
{
    struct hf_notify notify = made();
    size_t count = 0;
    for (int i = 0; i < 64 && count == 0; i++) { /* until the socket of the manager is full */
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
        while (sendto(fd, "x", 1, 0, (struct sockaddr *)&notify.address, notify.address_bytes) ==
               1) {
            count++;
        }
        close(fd);
    }
    hf_notify_ready(&notify); /* comes back */
    for (; count > 0; count--) {
        assert_string_equal(heard(*state), "x");
    }
    assert_string_equal(heard(*state), "");
}

static void gives_signs_of_life_when_asked(void **state)
{
    char own[16];
    snprintf(own, sizeof(own), "%d", (int)getpid());
    const struct {
        const char *usec, *pid;
        bool expected;
        uint64_t period_ms;
    } rows[] = {
        {NULL, NULL, false, 5000},
        {"60000000", NULL, true, 5000},
        {"2000000", own, true, 1000},
        {"1000", own, true, 0},
        {"2000000", "1", false, 5000},
        {"2000000", "", false, 5000},
        {"0", own, false, 5000},
        {"", own, false, 5000},
        {"-1", own, false, 5000},
        {"2s", own, false, 5000},
        {"99999999999999999999", own, false, 5000},
        {"18446744073709551615", own, false, 5000},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        unsetenv("WATCHDOG_USEC");
        unsetenv("WATCHDOG_PID");
        if (rows[i].usec != NULL) {
            setenv("WATCHDOG_USEC", rows[i].usec, 1);
        }
        if (rows[i].pid != NULL) {
            setenv("WATCHDOG_PID", rows[i].pid, 1);
        }
        struct hf_notify notify = made();
        hf_notify_alive(&notify);
        assert_string_equal(heard(*state), rows[i].expected ? "WATCHDOG=1" : "");
        const struct timespec *wait = hf_notify_wait(&notify, NULL);
        assert_int_equal((uint64_t)wait->tv_sec * 1000 + (uint64_t)wait->tv_nsec / 1000000,
                         rows[i].period_ms);
    }
}

static void waits_no_longer_than_the_next_sign(void **state)
{
    const struct timespec longer = {1, 1}, shorter = {0, 999999999};
    (void)state;
    setenv("WATCHDOG_USEC", "2000000", 1);
    struct hf_notify notify = made();
    assert_ptr_equal(hf_notify_wait(&notify, &longer), &notify.period);
    assert_ptr_equal(hf_notify_wait(&notify, &shorter), &shorter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(says_what_happens, begin, end),
        cmocka_unit_test_setup_teardown(says_when_a_reload_begins, begin, end),
        cmocka_unit_test_setup_teardown(says_a_status_once_and_in_one_line, begin, end),
        cmocka_unit_test_setup_teardown(finds_a_name_in_the_abstract_namespace, begin, end),
        cmocka_unit_test_setup_teardown(says_nothing_without_an_address, begin, end),
        cmocka_unit_test_setup_teardown(gives_up_a_message_that_is_not_taken, begin, end),
        cmocka_unit_test_setup_teardown(goes_on_without_a_manager_that_listens, begin, end),
        cmocka_unit_test_setup_teardown(gives_signs_of_life_when_asked, begin, end),
        cmocka_unit_test_setup_teardown(waits_no_longer_than_the_next_sign, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
