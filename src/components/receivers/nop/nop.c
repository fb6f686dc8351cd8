/*
 * nop: a receiver that receives nothing, for configurations whose pipelines need one.
 */
#include <holdfast/component.h>

static enum hf_status start(void *self, char *reterr)
{
    (void)self;
    (void)reterr;
    return HF_OK;
}

static void stop(void *self)
{
    (void)self;
}

const struct hf_component hf_receiver_nop = {
    .type = "nop",
    .help = "Receives nothing.",
    .kind = HF_RECEIVER,
    .signals = HF_ALL_SIGNALS_AND_PROFILES,
    .start = start,
    .stop = stop,
};
