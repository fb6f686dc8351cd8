/*
 * A form as a browser, or anyone else, may send it to the console; its values in a page, which they
 * must not change the markup of. Reaches hf_console_read_form, hf_console_escape,
 * hf_console_find_cookie, hf_console_knows_host, hf_console_trial_refusal.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "components/extensions/console/access.h"
#include "components/extensions/console/page.h"
#include "components/extensions/console/request.h"
#include "components/extensions/console/trial.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_page(const struct hf_console_page *page)
{
    for (size_t i = 0; i < page->text.size; i++) {
        uint8_t byte = page->text.data[i];
        assert(strchr("<>\"'", byte) == NULL || byte == '\0');
        assert(byte >= ' ' || byte == '\n' || byte == '\t');
    }
}

static void show(const char *value)
{
    struct hf_console_page page;
    hf_console_page_init(&page, 1 << 16);
    hf_console_put(&page, "%s", value);
    check_page(&page);
    hf_console_page_release(&page);
    hf_console_page_init(&page, 1 << 16);
    hf_console_put_url(&page, value);
    check_page(&page);
    hf_console_page_release(&page);
    (void)hf_console_trial_refusal(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hf_console_access access = {.endpoint = "console.example:13144"};
    char cookie[HF_CONSOLE_COOKIE_SIZE + 1];
    struct hf_console_request *request = hf_console_request_new(NULL);
    if (request == NULL) {
        return 0;
    }
    enum hf_status status = hf_console_read_form(request, hf_slice_of(data, size));
    for (size_t i = 0; status == HF_OK && i < request->parameter_count; i++) {
        show(request->parameters[i].name);
        show(request->parameters[i].value);
    }
    hf_console_request_free(request);
    (void)hf_console_find_cookie(hf_slice_of(data, size), cookie);
    (void)hf_console_knows_host(&access, hf_slice_of(data, size));
    return 0;
}
