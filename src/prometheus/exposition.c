#include "exposition.h"

#include "exposition_text.h"

void hf_expo_init(struct hf_expo_reader *reader, enum hf_expo_format format, struct hf_slice body,
                  struct hf_arena *arena)
{
    reader->format = format;
    reader->at = body.data;
    reader->end = body.size == 0 ? body.data : body.data + body.size;
    reader->arena = arena;
    reader->has_ended = false;
    reader->family = NULL;
    reader->labels.count = 0;
    reader->exemplar_count = 0;
    reader->error[0] = '\0';
}

enum hf_expo_item hf_expo_next(struct hf_expo_reader *reader)
{
    if (reader->error[0] != '\0') {
        return HF_EXPO_BAD;
    }
    reader->labels.count = 0;
    reader->exemplar_count = 0;
    reader->has_time = reader->has_created = false;
    if (reader->format == HF_EXPO_PROTOBUF) {
        return hf_expo_next_family(reader);
    }
    return hf_expo_next_line(reader);
}
