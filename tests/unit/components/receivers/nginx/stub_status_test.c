#include "components/receivers/nginx/stub_status.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define PAGE                                                                                       \
    "Active connections: 291 \nserver accepts handled requests\n 16630948 16630947 31070465 \n"    \
    "Reading: 6 Writing: 179 Waiting: 106 \n"

static void the_page_has_seven_numbers(void **state)
{
    struct stub_status status;
    (void)state;
    assert_true(stub_status_read(hf_slice_text(PAGE), &status));
    assert_int_equal(status.active, 291);
    assert_int_equal(status.accepted, 16630948);
    assert_int_equal(status.handled, 16630947);
    assert_int_equal(status.requests, 31070465);
    assert_int_equal(status.reading, 6);
    assert_int_equal(status.writing, 179);
    assert_int_equal(status.waiting, 106);
}

static void other_pages_are_refused(void **state)
{
    static const char *const pages[] = {
        "",
        "hello",
        "<html>Active connections: 1</html>",
        "Active connections: x \nserver accepts handled requests\n 1 1 1 \nReading: 0 Writing: 1 "
        "Waiting: 0 \n",
        "Active connections: -1 \nserver accepts handled requests\n 1 1 1 \nReading: 0 Writing: 1 "
        "Waiting: 0 \n",
        "Active connections: 1 \nserver accepts handled requests request_time\n 1 1 1 1\nReading: "
        "0 Writing: 1 Waiting: 0 \n",
        PAGE "more",
    };
    struct stub_status status;
    (void)state;
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        assert_false(stub_status_read(hf_slice_text(pages[i]), &status));
    }
    for (size_t size = 0; size < sizeof(PAGE) - 3; size++) { /* without the last number's digits */
        bool is_whole = size > sizeof(PAGE) - 1 - sizeof("106 ");
        assert_true(is_whole || !stub_status_read(hf_slice_of(PAGE, size), &status));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_has_seven_numbers),
        cmocka_unit_test(other_pages_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
