/* Frames of WebSocket: every size, fragments, control frames between them, and what no server may
 * send. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* needs those before it */

#include "http/websocket_frame.h"

#define LIMIT 100000u
#define CONSTANT(text)                                                                             \
    {                                                                                              \
        .data = (const uint8_t *)(text), .size = sizeof(text) - 1                                  \
    }
#define BYTES(text) ((struct hf_slice)CONSTANT(text))

static void a_frame_comes_back_unmasked(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 125, 126, 127, 65535, 65536, 70001};
    static const uint8_t mask[HF_WEBSOCKET_MASK_SIZE] = {0x12, 0x00, 0xff, 0x81};
    static uint8_t payload[70001];
    for (size_t i = 0; i < sizeof(payload); i++) {
        payload[i] = (uint8_t)(i * 7);
    }
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct hf_bytes out = {0};
        size_t size = sizes[i], head = size < 126 ? 6 : size < 65536 ? 8 : 14;
        assert_int_equal(
            hf_websocket_write(&out, HF_WEBSOCKET_BINARY, hf_slice_of(payload, size), mask), HF_OK);
        assert_int_equal(out.size, size + head);
        assert_int_equal(out.data[0], 0x82);
        assert_true((out.data[1] & 0x80) != 0);
        for (size_t k = 0; k < size; k++) {
            assert_int_equal(out.data[head + k] ^ mask[k % 4], payload[k]);
        }
        /* What a server would send: the same without its mask. */
        memmove(out.data + head - 4, payload, size);
        out.data[1] &= 0x7f;
        struct hf_slice in = hf_slice_of(out.data, out.size - 4);
        struct hf_websocket_reader reader = {.limit = LIMIT};
        struct hf_websocket_event event;
        assert_int_equal(hf_websocket_read(&reader, &in, &event), HF_OK);
        assert_int_equal(event.opcode, HF_WEBSOCKET_BINARY);
        assert_true(hf_slice_equal(event.payload, hf_slice_of(payload, size)));
        assert_int_equal(in.size, 0);
        hf_websocket_reader_release(&reader);
        hf_bytes_release(&out);
    }
}

static void a_part_of_a_frame_waits_for_the_rest(void **state)
{
    (void)state;
    static const char bytes[] = "\x82\x7e\x00\x7f";
    uint8_t frame[4 + 127] = {0};
    memcpy(frame, bytes, 4);
    for (size_t size = 0; size < sizeof(frame); size++) {
        struct hf_websocket_reader reader = {.limit = LIMIT};
        struct hf_slice in = hf_slice_of(frame, size);
        struct hf_websocket_event event;
        assert_int_equal(hf_websocket_read(&reader, &in, &event), HF_AGAIN);
        assert_int_equal(in.size, size);
    }
}

static void fragments_are_joined_around_control_frames(void **state)
{
    (void)state;
    struct hf_slice in = BYTES("\x02\x02"
                               "ab"
                               "\x89\x01p"
                               "\x00\x00"
                               "\x8a\x00"
                               "\x80\x01"
                               "c"
                               "\x81\x01t");
    static const struct {
        enum hf_websocket_opcode opcode;
        const char *payload;
    } events[] = {{HF_WEBSOCKET_PING, "p"},
                  {HF_WEBSOCKET_PONG, ""},
                  {HF_WEBSOCKET_BINARY, "abc"},
                  {HF_WEBSOCKET_TEXT, "t"}};
    struct hf_websocket_reader reader = {.limit = 3};
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        struct hf_websocket_event event;
        assert_int_equal(hf_websocket_read(&reader, &in, &event), HF_OK);
        assert_int_equal(event.opcode, events[i].opcode);
        assert_true(hf_slice_is(event.payload, events[i].payload));
    }
    assert_int_equal(in.size, 0);
    hf_websocket_reader_release(&reader);
}

static void what_no_server_may_send_is_refused(void **state)
{
    (void)state;
    static const struct {
        struct hf_slice bytes;
        enum hf_status status;
    } rows[] = {
        {CONSTANT("\xc2\x00"), HF_INVALID},                 /* a reserved bit */
        {CONSTANT("\x82\x80\x00\x00\x00\x00"), HF_INVALID}, /* masked */
        {CONSTANT("\x83\x00"), HF_INVALID},                 /* unknown */
        {CONSTANT("\x8b\x00"), HF_INVALID},
        {CONSTANT("\x09\x00"), HF_INVALID},         /* a ping in parts */
        {CONSTANT("\x89\x7e\x00\x7e"), HF_INVALID}, /* a ping that is too long */
        {CONSTANT("\x80\x00"), HF_INVALID},         /* the end of nothing */
        {CONSTANT("\x02\x00\x82\x00"), HF_INVALID}, /* a message within a message */
        {CONSTANT("\x82\x04"
                  "abcd"),
         HF_TOO_LARGE},
        {CONSTANT("\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff"), HF_TOO_LARGE},
        {CONSTANT("\x02\x02"
                  "ab"
                  "\x80\x02"
                  "cd"),
         HF_TOO_LARGE},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hf_websocket_reader reader = {.limit = 3};
        struct hf_slice in = rows[i].bytes;
        struct hf_websocket_event event;
        assert_int_equal(hf_websocket_read(&reader, &in, &event), rows[i].status);
        hf_websocket_reader_release(&reader);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_comes_back_unmasked),
        cmocka_unit_test(a_part_of_a_frame_waits_for_the_rest),
        cmocka_unit_test(fragments_are_joined_around_control_frames),
        cmocka_unit_test(what_no_server_may_send_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
