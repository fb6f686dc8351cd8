#include "chart.h"

#define LINE_WIDTH 1000.0
#define BAR_WIDTH 46.0
#define BARS_HEIGHT 110.0
#define BARS_MANY 10u /* more have larger labels, one below every second bar */

static double greatest(const double *values, size_t count)
{
    double most = 0;
    for (size_t i = 0; i < count; i++) {
        most = values[i] > most ? values[i] : most;
    }
    return most;
}

struct frame {
    double x_from, x_scale, y_scale, height;
};

static double x_at(const struct frame *frame, double x)
{
    return (x - frame->x_from) * frame->x_scale;
}

static double y_at(const struct frame *frame, double y)
{
    double height = y * frame->y_scale;
    return frame->height - (height > frame->height ? frame->height : height);
}

/* The points from `begin` on that are joined; returns the first one that is not. */
static size_t put_run(struct hf_console_page *page, const struct hf_console_curve *curve,
                      const struct frame *frame, size_t begin)
{
    size_t end = begin + 1;
    while (end < curve->count &&
           (curve->gap == 0 || curve->x[end] - curve->x[end - 1] <= curve->gap)) {
        end++;
    }
    hf_console_put(page, "<path class=\"area %s\" d=\"M%.1f %.1f", curve->shade,
                   x_at(frame, curve->x[begin]), frame->height);
    for (size_t i = begin; i < end; i++) {
        hf_console_put(page, "L%.1f %.1f", x_at(frame, curve->x[i]), y_at(frame, curve->y[i]));
    }
    hf_console_put(page, "L%.1f %.1fZ\"/><path class=\"stroke %s\" d=\"",
                   x_at(frame, curve->x[end - 1]), frame->height, curve->shade);
    for (size_t i = begin; i < end; i++) {
        hf_console_put(page, "%c%.1f %.1f", i == begin ? 'M' : 'L', x_at(frame, curve->x[i]),
                       y_at(frame, curve->y[i]));
    }
    if (end == begin + 1) {
        hf_console_put(page, "h1.5");
    }
    hf_console_put(page, "\"/>");
    return end;
}

void hf_console_put_curve(struct hf_console_page *page, const struct hf_console_curve *curve)
{
    double y_max = curve->y_max != 0 ? curve->y_max : greatest(curve->y, curve->count);
    double span = curve->x_to - curve->x_from;
    const struct frame frame = {.x_from = curve->x_from,
                                .x_scale = span > 0 ? curve->width / span : 0,
                                .y_scale = y_max > 0 ? (curve->height - 2.0) / y_max : 0,
                                .height = curve->height};
    hf_console_put(page,
                   "<svg class=\"chart\" role=\"img\" viewBox=\"0 0 %u %u\" "
                   "preserveAspectRatio=\"none\"><title>%s</title>"
                   "<path class=\"grid\" d=\"M0 %.1fH%uM0 %.1fH%uM0 1H%u\"/>",
                   curve->width, curve->height, curve->title, curve->height - 0.5, curve->width,
                   curve->height / 2.0, curve->width, curve->width);
    for (size_t at = 0; at < curve->count;) {
        at = put_run(page, curve, &frame, at);
    }
    hf_console_put(page,
                   "</svg><p class=\"scale\" aria-hidden=\"true\"><span>%s</span><span>%s</span>"
                   "<span>%s</span></p>",
                   curve->from_label, curve->max_label, curve->to_label);
}

void hf_console_put_bars(struct hf_console_page *page, const struct hf_console_bars *bars)
{
    double most = greatest(bars->values, bars->count);
    bool are_many = bars->count > BARS_MANY;
    double bottom = are_many ? 2 * BARS_HEIGHT : BARS_HEIGHT, room = are_many ? 26 : 16;
    hf_console_put(
        page, "<svg class=\"bars%s\" role=\"img\" viewBox=\"0 0 %.0f %.0f\"><title>%s</title>",
        are_many ? " many" : "", BAR_WIDTH * (double)bars->count, bottom + 2 * room, bars->title);
    for (size_t i = 0; i < bars->count; i++) {
        double left = BAR_WIDTH * (double)i;
        double height = most > 0 ? bars->values[i] / most * bottom : 0;
        height = bars->values[i] > 0 && height < 2 ? 2 : height;
        hf_console_put(page,
                       "<rect class=\"bar\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
                       "rx=\"2\"/>",
                       left + 3, bottom + room - height, BAR_WIDTH - 6, height);
        if (!are_many || i % 2 == 0) {
            hf_console_put(page, "<text x=\"%.1f\" y=\"%.1f\">%s</text>", left + BAR_WIDTH / 2,
                           bottom + 2 * room - 4, bars->labels[i]);
        }
        if (bars->values[i] > 0) {
            hf_console_put(page, "<text x=\"%.1f\" y=\"%.1f\">%.0f</text>", left + BAR_WIDTH / 2,
                           bottom + room - 4 - height, bars->values[i]);
        }
    }
    hf_console_put(page, "</svg>");
}

static void put_part(struct hf_console_page *page, const struct hf_console_part *part)
{
    double left = part->from * LINE_WIDTH, width = (part->to - part->from) * LINE_WIDTH;
    hf_console_put(page,
                   "<rect class=\"part %s\" x=\"%.2f\" y=\"8\" width=\"%.2f\" height=\"18\">"
                   "<title>%s</title></rect>",
                   part->shade, left, width < 1.5 ? 1.5 : width - 0.5, part->title);
}

void hf_console_put_line(struct hf_console_page *page, const char *title,
                         const struct hf_console_part *parts, size_t count,
                         const struct hf_console_part *marks, size_t mark_count)
{
    hf_console_put(page,
                   "<svg class=\"line\" role=\"img\" viewBox=\"0 0 1000 30\" "
                   "preserveAspectRatio=\"none\"><title>%s</title>"
                   "<rect class=\"ground\" x=\"0\" y=\"8\" width=\"1000\" height=\"18\"/>",
                   title);
    for (size_t i = 0; i < count; i++) {
        put_part(page, &parts[i]);
    }
    for (size_t i = 0; i < mark_count; i++) {
        hf_console_put(page, "<path class=\"mark %s\" d=\"M%.2f 0V30\"><title>%s</title></path>",
                       marks[i].shade, marks[i].from * LINE_WIDTH, marks[i].title);
    }
    hf_console_put(page, "</svg>");
}
