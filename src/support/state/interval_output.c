#include "interval_output.h"

#include <string.h>

#include <holdfast/batch.h>

void hf_interval_output_begin(struct hf_interval_output *output, enum hf_signal signal,
                              struct hf_interval_list *list)
{
    *output = (struct hf_interval_output){.signal = signal, .list = list};
    output->writer.out = &output->bytes;
}

void hf_interval_output_cut(struct hf_interval_output *output)
{
    if (output->items == 0 || output->status != HF_OK) {
        return;
    }
    struct hf_batch *batch = output->writer.failed
                                 ? NULL
                                 : hf_batch_new(output->signal, output->bytes.size, HF_EMPTY_SLICE);
    if (batch == NULL) {
        output->status = HF_NOMEM;
        return;
    }
    memcpy(hf_batch_room(batch), output->bytes.data, output->bytes.size);
    hf_batch_seal(batch, output->bytes.size, output->items);
    output->status = hf_interval_list_add(output->list, batch);
    output->bytes.size = 0;
    output->items = 0;
}

enum hf_status hf_interval_output_end(struct hf_interval_output *output)
{
    hf_interval_output_cut(output);
    hf_bytes_release(&output->bytes);
    return output->status == HF_OK && !output->writer.failed ? HF_OK : HF_NOMEM;
}
