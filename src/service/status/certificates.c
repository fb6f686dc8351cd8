/*
 * certificates: the section of `status` about the certificates that the configuration names, and
 * when they expire. What stands on disk now is read.
 */
#include <errno.h>
#include <string.h>

#include "sections.h"
#include "util/tls/certificate.h"
#include "words.h"

static void write_look(struct hf_json_out *json, enum hf_status status, int error,
                       const struct hf_certificate_look *look)
{
    if (status == HF_OK) {
        hf_json_out_text(json, "subject", look->subject);
        hf_json_out_number(json, "valid_from_seconds", look->from_s);
        hf_json_out_number(json, "expires_seconds", look->until_s);
        return;
    }
    hf_json_out_text(json, "error",
                     status == HF_IO ? strerror(error) : "no certificate in PEM form is there");
}

static void write_certificate(void *user, const struct hf_config_certificate *certificate)
{
    struct hf_json_out *json = user;
    struct hf_certificate_look look;
    enum hf_status status = certificate->is_pem
                                ? hf_certificate_read(hf_slice_text(certificate->text), &look)
                                : hf_certificate_read_file(certificate->text, &look);
    int error = errno;
    hf_json_out_map(json, NULL);
    hf_json_out_text(json, "kind", hf_status_kind(certificate->component->kind));
    hf_json_out_text(json, "id", certificate->component->id);
    hf_json_out_text(json, "key", certificate->key);
    hf_json_out_text(json, "path", certificate->is_pem ? NULL : certificate->text);
    write_look(json, status, error, &look);
    hf_json_out_end_map(json);
}

void hf_status_certificates(const struct hf_status_source *source, struct hf_json_out *json)
{
    hf_json_out_list(json, "certificates");
    if (source->graph != NULL) {
        hf_config_each_certificate(hf_graph_config(source->graph), write_certificate, json);
    }
    hf_json_out_end_list(json);
}
