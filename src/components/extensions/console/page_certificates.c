/*
 * page_certificates: /certificates: every certificate that the configuration names, and when it
 * expires.
 */
#include "look.h"
#include "pages.h"

static void put_expiry(const struct hf_console_view *view, struct hf_console_page *page,
                       const struct hf_json *certificate)
{
    uint64_t expires_ns = hf_console_moment(certificate, "expires_seconds");
    uint64_t now_ns = view->snapshot->taken_unix_ns;
    struct hf_slice error = hf_json_text_of(certificate, "error");
    if (error.size != 0) {
        hf_console_put_state(page, "bad", "cannot be read");
        hf_console_put(page, " ");
        hf_console_escape(page, error);
    } else if (expires_ns <= now_ns) {
        hf_console_put_state(page, "bad", "has expired");
    } else {
        bool is_soon = expires_ns < now_ns + HF_CONSOLE_EXPIRY_WARN_NS;
        hf_console_put_state(page, is_soon ? "warn" : "good", is_soon ? "expires soon" : "valid");
        hf_console_put(page, " for ");
        hf_console_put_duration(page, (double)(expires_ns - now_ns) / 1e9);
    }
}

static void put_row(struct hf_console_view *view, struct hf_console_page *page,
                    const struct hf_json *certificate)
{
    hf_console_put(
        page,
        "<tr><th scope=\"row\">%s %s</th><td><code>%s</code><span class=\"note\">%s"
        "</span></td><td>%s</td><td>",
        hf_console_text(view, certificate, "kind"), hf_console_text(view, certificate, "id"),
        hf_console_text(view, certificate, "path"), hf_console_text(view, certificate, "key"),
        hf_console_text(view, certificate, "subject"));
    hf_console_put_time(page, hf_console_moment(certificate, "expires_seconds"));
    hf_console_put(page, "</td><td>");
    put_expiry(view, page, certificate);
    hf_console_put(page, "</td></tr>");
}

void hf_console_show_certificates(struct hf_console_view *view, struct hf_console_page *page)
{
    const struct hf_json *at = hf_console_first(view, "certificates");
    hf_console_put(page, "<h1>Certificates</h1>");
    if (at == NULL) {
        hf_console_put(page, "<p>The configuration that runs names none.</p>\n");
        return;
    }
    hf_console_put(
        page, "<div class=\"wide\" tabindex=\"0\"><table><caption>As they are on disk now</caption>"
              "<thead><tr><th scope=\"col\">Component</th><th scope=\"col\">File</th>"
              "<th scope=\"col\">Subject</th><th scope=\"col\">Expires</th>"
              "<th scope=\"col\">State</th></tr></thead><tbody>");
    for (; at != NULL; at = at->next) {
        put_row(view, page, at);
    }
    hf_console_put(page, "</tbody></table></div>\n");
}
