#include "lease.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "util/time/clock.h"
#include "util/time/time_layout.h"

#define DURATION_S_MAX (UINT64_C(10) * 365 * 24 * 3600)

/* False: longer than there is room for. */
static bool keep(char room[LEASE_TEXT_MAX], struct hf_slice text)
{
    if (text.size >= LEASE_TEXT_MAX) {
        return false;
    }
    if (text.size != 0) {
        memcpy(room, text.data, text.size);
    }
    room[text.size] = '\0';
    return true;
}

bool lease_read(const struct hf_json *object, struct lease_record *ret_record)
{
    const struct hf_json *spec = hf_json_get(object, "spec");
    struct lease_record record = {.transitions =
                                      hf_json_int(hf_json_get(spec, "leaseTransitions"))};
    int64_t seconds = hf_json_int(hf_json_get(spec, "leaseDurationSeconds")), renewed_ns = 0;
    if (!keep(record.version,
              hf_json_text_of(hf_json_get(object, "metadata"), "resourceVersion")) ||
        !keep(record.holder, hf_json_text_of(spec, "holderIdentity")) ||
        !keep(record.acquired, hf_json_text_of(spec, "acquireTime")) || record.version[0] == '\0') {
        return false;
    }
    if (hf_time_rfc3339(hf_json_text_of(spec, "renewTime"), &renewed_ns) && renewed_ns > 0) {
        record.renewed_ns = (uint64_t)renewed_ns;
    }
    if (seconds > 0 && (uint64_t)seconds < DURATION_S_MAX) {
        record.duration_ns = (uint64_t)seconds * HF_NS_PER_S;
    }
    *ret_record = record;
    return true;
}

enum lease_step lease_decide(struct lease *lease, const struct lease_record *record,
                             uint64_t now_ns)
{
    if (record == NULL) {
        lease->seen[0] = '\0';
        return LEASE_CREATE;
    }
    if (strcmp(lease->seen, record->version) != 0) {
        snprintf(lease->seen, sizeof(lease->seen), "%s", record->version);
        lease->seen_ns = now_ns;
    }
    if (record->holder[0] == '\0') {
        return LEASE_TAKE;
    }
    if (strcmp(record->holder, lease->config->identity) == 0) {
        return LEASE_RENEW;
    }
    return now_ns - lease->seen_ns >= record->duration_ns ? LEASE_TAKE : LEASE_WAIT;
}

/* "2006-01-02T15:04:05.000000Z" */
static void print_time(uint64_t unix_ns, char *ret_text, size_t room)
{
    time_t seconds = (time_t)(unix_ns / HF_NS_PER_S);
    struct tm parts;
    char whole[32] = "";
    if (gmtime_r(&seconds, &parts) != NULL) {
        strftime(whole, sizeof(whole), "%Y-%m-%dT%H:%M:%S", &parts);
    }
    snprintf(ret_text, room, "%s.%06" PRIu64 "Z", whole, unix_ns % HF_NS_PER_S / 1000);
}

enum hf_status lease_write(const struct lease *lease, enum lease_step step,
                           const struct lease_record *record, uint64_t unix_ns, char *ret_text,
                           size_t room)
{
    const struct lease_config *config = lease->config;
    char now[64], version[LEASE_TEXT_MAX + 32] = "";
    bool keeps_it = step == LEASE_RENEW && record != NULL && record->acquired[0] != '\0';
    uint64_t seconds = (config->duration_ns + HF_NS_PER_S - 1) / HF_NS_PER_S;
    print_time(unix_ns, now, sizeof(now));
    if (record != NULL) {
        snprintf(version, sizeof(version), ",\"resourceVersion\":\"%s\"", record->version);
    }
    int size = snprintf(
        ret_text, room,
        "{\"apiVersion\":\"coordination.k8s.io/v1\",\"kind\":\"Lease\",\"metadata\":{\"name\":"
        "\"%s\",\"namespace\":\"%s\"%s},\"spec\":{\"holderIdentity\":\"%s\","
        "\"leaseDurationSeconds\":%" PRIu64 ",\"acquireTime\":\"%s\",\"renewTime\":\"%s\","
        "\"leaseTransitions\":%" PRId64 "}}",
        config->name, config->space, version, step == LEASE_WAIT ? "" : config->identity,
        step == LEASE_WAIT ? 1 : seconds, keeps_it ? record->acquired : now, now,
        (record != NULL ? record->transitions : 0) + (step == LEASE_TAKE ? 1 : 0));
    return size > 0 && (size_t)size < room ? HF_OK : HF_TOO_LARGE;
}

void lease_won(struct lease *lease, uint64_t begun_ns)
{
    lease->is_leader = true;
    lease->renewed_ns = begun_ns;
}

bool lease_is_overdue(const struct lease *lease, uint64_t now_ns)
{
    return lease->is_leader && now_ns - lease->renewed_ns >= lease->config->renew_deadline_ns;
}
