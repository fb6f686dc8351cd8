#include "grpc_health.h"

#include <string.h>

#include "pdata/wire.h"

/* HealthCheckRequest {1 string service}. */
bool hf_grpc_health_read(struct hf_slice request, struct hf_slice *ret_service)
{
    struct hf_wire wire = hf_wire_of(request);
    struct hf_wire_field field;
    *ret_service = HF_EMPTY_SLICE;
    while (!hf_wire_at_end(wire)) {
        if (!hf_wire_next(&wire, &field)) {
            return false;
        }
        if (field.number == 1 && field.wire == HF_WIRE_BYTES) {
            *ret_service = field.bytes;
        }
    }
    return true;
}

bool hf_grpc_health_belongs(const char *path, struct hf_slice service)
{
    size_t size = strcspn(path + 1, "/");
    return service.size == size && memcmp(path + 1, service.data, size) == 0;
}

struct hf_slice hf_grpc_health_answer(bool serving)
{
    static const uint8_t answers[2][2] = {{0x08, 2}, {0x08, 1}};
    return hf_slice_of(answers[serving], 2);
}
