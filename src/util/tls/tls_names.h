/*
 * tls_names: cipher suites and curves by the names that a configuration uses, which are IANA's and
 * Go's, and their names in the TLS libraries. Immutable; any thread.
 */
#pragma once

#include <stdbool.h>

#include <holdfast/field.h>
#include <holdfast/status.h>

struct hf_tls_suite {
    unsigned number; /* on the wire */
    const char *name, *openssl;
    const char *gnutls; /* what a priority string adds for it, ":+..." */
    bool is_tls13;
};

struct hf_tls_curve {
    const char *name;
    const char *openssl, *gnutls; /* NULL: known, but to none of the libraries yet */
};

/* All of them, NULL-terminated, as `choices` of fields. */
extern const char *const hf_tls_suite_names[];
extern const char *const hf_tls_curve_names[];

/* NULL: unknown. */
const struct hf_tls_suite *hf_tls_suite(const char *name);
const struct hf_tls_curve *hf_tls_curve(const char *name);

/* OpenSSL's lists, separated by colons; "": nothing is said of them. */
struct hf_tls_lists {
    char old[1024]; /* suites up to TLS 1.2 */
    char tls13[128];
    char curves[128];
};

/* HF_INVALID, with `reterr` (HF_ERROR_MAX), for unknown names, and curves of which none is there.
 */
HF_MUST_USE enum hf_status hf_tls_lists(struct hf_string_list suites, struct hf_string_list curves,
                                        struct hf_tls_lists *ret_lists, char *reterr);
