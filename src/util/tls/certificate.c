#include "certificate.h"

#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#define FILE_BYTES_MAX (4u << 20)

static uint64_t seconds_of(const ASN1_TIME *time)
{
    struct tm parts;
    time_t seconds = ASN1_TIME_to_tm(time, &parts) == 1 ? timegm(&parts) : 0;
    return seconds > 0 ? (uint64_t)seconds : 0;
}

static void look_at(const X509 *certificate, struct hf_certificate_look *look)
{
    uint64_t until_s = seconds_of(X509_get0_notAfter(certificate));
    look->last_until_s = until_s > look->last_until_s ? until_s : look->last_until_s;
    if (look->until_s != 0 && until_s >= look->until_s) {
        return;
    }
    look->until_s = until_s;
    look->from_s = seconds_of(X509_get0_notBefore(certificate));
    X509_NAME_oneline(X509_get_subject_name(certificate), look->subject, sizeof(look->subject));
}

enum hf_status hf_certificate_read(struct hf_slice pem, struct hf_certificate_look *ret_look)
{
    struct hf_certificate_look look = {.until_s = 0};
    BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.size);
    X509 *certificate = NULL;
    if (bio == NULL) {
        return HF_NOMEM;
    }
    while ((certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
        look_at(certificate, &look);
        X509_free(certificate);
    }
    ERR_clear_error();
    BIO_free(bio);
    if (look.until_s == 0) {
        return HF_INVALID;
    }
    *ret_look = look;
    return HF_OK;
}

static enum hf_status read_all(int fd, uint8_t *room, size_t *ret_size)
{
    size_t size = 0;
    for (;;) {
        ssize_t got = read(fd, room + size, FILE_BYTES_MAX - size);
        if (got < 0) {
            return HF_IO;
        }
        if (got == 0) {
            *ret_size = size;
            return HF_OK;
        }
        size += (size_t)got;
        if (size == FILE_BYTES_MAX) {
            return HF_TOO_LARGE;
        }
    }
}

enum hf_status hf_certificate_read_file(const char *path, struct hf_certificate_look *ret_look)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    uint8_t *room = malloc(FILE_BYTES_MAX);
    size_t size = 0;
    enum hf_status status = fd < 0 ? HF_IO : room == NULL ? HF_NOMEM : read_all(fd, room, &size);
    if (fd >= 0) {
        close(fd);
    }
    if (status == HF_OK) {
        status = hf_certificate_read(hf_slice_of(room, size), ret_look);
    }
    free(room);
    return status;
}
