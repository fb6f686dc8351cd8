/*
 * compress_zstd: reads and writes zstd frames.
 */
#include <zstd.h>
#include <zstd_errors.h>

#include "compress_internal.h"

#define LEVEL_DEFAULT 1
#define LEVEL_MAX 19      /* above it, windows are larger than most readers take */
#define WINDOW_LOG_MAX 25 /* 32 MiB: more than any writer of bodies uses */
#define CONTEXT_KEPT_BYTES (2u << 20)
#define GUESS_RATIO 6u
#define OUT_LEAST 512u

static ZSTD_DCtx *begin_decode(struct codec_contexts *contexts)
{
    if (contexts == NULL) {
        return NULL;
    }
    if (contexts->zstd_in == NULL) {
        contexts->zstd_in = ZSTD_createDCtx();
    }
    ZSTD_DCtx *context = contexts->zstd_in;
    if (context != NULL) {
        ZSTD_DCtx_reset(context, ZSTD_reset_session_only);
        ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
    }
    return context;
}

/*
 * Room for the frame that begins at `in`: its whole content when the frame says how much that is
 * (then zstd decodes straight into it, without a window of its own), else a guess. The claim costs
 * address space only: nothing is touched before it is written.
 */
static enum hf_status reserve_frame(struct hf_slice in, size_t limit, struct hf_bytes *out)
{
    unsigned long long content = ZSTD_getFrameContentSize(in.data, in.size);
    if (content == ZSTD_CONTENTSIZE_ERROR) {
        return HF_INVALID;
    }
    size_t room = limit - out->size;
    if (content == ZSTD_CONTENTSIZE_UNKNOWN) {
        size_t guess = in.size > room / GUESS_RATIO ? room : in.size * GUESS_RATIO + OUT_LEAST;
        return hf_bytes_reserve(out, out->size + (guess < room ? guess : room) + 1);
    }
    if (content > room) {
        return HF_TOO_LARGE;
    }
    return hf_bytes_reserve(out, out->size + (size_t)content + 1);
}

static enum hf_status status_of(size_t code)
{
    switch (ZSTD_getErrorCode(code)) {
    case ZSTD_error_memory_allocation:
        return HF_NOMEM;
    case ZSTD_error_frameParameter_windowTooLarge:
        return HF_TOO_LARGE;
    default:
        return HF_INVALID;
    }
}

/* One frame. Output may pass the limit by one byte, which is how a text that is too long shows. */
static enum hf_status decode_frame(ZSTD_DCtx *context, ZSTD_inBuffer *input, size_t limit,
                                   struct hf_bytes *out)
{
    for (;;) {
        size_t capacity = out->capacity <= limit ? out->capacity : limit + 1;
        ZSTD_outBuffer output = {out->data, capacity, out->size};
        size_t left = ZSTD_decompressStream(context, &output, input);
        out->size = output.pos;
        if (ZSTD_isError(left)) {
            return status_of(left);
        }
        if (out->size > limit) {
            return HF_TOO_LARGE;
        }
        if (left == 0) {
            return HF_OK;
        }
        if (output.pos < output.size && input->pos == input->size) {
            return HF_INVALID; /* ends too early */
        }
        if (output.pos == output.size) {
            size_t wanted = out->capacity > limit / 2 ? limit + 1 : out->capacity * 2;
            enum hf_status status = hf_bytes_reserve(out, wanted);
            if (status != HF_OK) {
                return status;
            }
        }
    }
}

enum hf_status hf_zstd_decode(struct hf_slice in, size_t limit, struct hf_bytes *out)
{
    struct codec_contexts *contexts = hf_codec_contexts();
    ZSTD_DCtx *context = begin_decode(contexts);
    if (context == NULL) {
        return HF_NOMEM;
    }
    if (in.size == 0) {
        return HF_INVALID;
    }
    ZSTD_inBuffer input = {in.data, in.size, 0};
    enum hf_status status = HF_OK;
    while (status == HF_OK && input.pos < input.size) {
        struct hf_slice rest = hf_slice_of(in.data + input.pos, in.size - input.pos);
        status = reserve_frame(rest, limit, out);
        if (status == HF_OK) {
            status = decode_frame(context, &input, limit, out);
        }
    }
    /* A frame with a large window, without its size, leaves that window behind in the context. */
    if (ZSTD_sizeof_DCtx(context) > CONTEXT_KEPT_BYTES) {
        ZSTD_freeDCtx(context);
        contexts->zstd_in = NULL;
    }
    return status;
}

static ZSTD_CCtx *begin_encode(const struct codec_input *input)
{
    struct codec_contexts *contexts = hf_codec_contexts();
    if (contexts == NULL) {
        return NULL;
    }
    if (contexts->zstd_out == NULL) {
        contexts->zstd_out = ZSTD_createCCtx();
    }
    ZSTD_CCtx *context = contexts->zstd_out;
    if (context != NULL) {
        int level = input->level == 0 ? LEVEL_DEFAULT : input->level;
        ZSTD_CCtx_reset(context, ZSTD_reset_session_and_parameters);
        ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel,
                               level > LEVEL_MAX ? LEVEL_MAX : level);
        ZSTD_CCtx_setPledgedSrcSize(context, input->total);
    }
    return context;
}

enum hf_status hf_zstd_encode(const struct codec_input *input, struct hf_bytes *out)
{
    ZSTD_CCtx *context = begin_encode(input);
    if (context == NULL) {
        return HF_NOMEM;
    }
    size_t bound = ZSTD_compressBound(input->total);
    enum hf_status status = hf_bytes_reserve(out, out->size + bound);
    if (status != HF_OK) {
        return status;
    }
    ZSTD_outBuffer output = {out->data, out->capacity, out->size};
    for (size_t i = 0; i < input->count || i == 0; i++) {
        struct hf_slice piece = input->count == 0 ? HF_EMPTY_SLICE : input->pieces[i];
        ZSTD_inBuffer in = {piece.data, piece.size, 0};
        ZSTD_EndDirective end = i + 1 >= input->count ? ZSTD_e_end : ZSTD_e_continue;
        size_t left;
        do {
            left = ZSTD_compressStream2(context, &output, &in, end);
            if (ZSTD_isError(left)) {
                return HF_NOMEM; /* the room is enough and the sizes agree: nothing else is left */
            }
        } while (end == ZSTD_e_end ? left != 0 : in.pos < in.size);
    }
    out->size = output.pos;
    return HF_OK;
}
