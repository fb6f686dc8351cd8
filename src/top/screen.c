#include "screen.h"

#include <ncurses.h>
#include <stdlib.h>
#include <string.h>

#include "top.h"
#include "util/time/clock.h"
#include "view.h"

#define ESCAPE 27
#define ESCAPE_DELAY_MS 25

struct screen {
    const struct hf_top_source *source;
    struct hf_top top;
    struct hf_view view;
    struct hf_page page;
    size_t scroll; /* lines of the page below its head that are above the first one shown */
    bool has_colours, shows_help, is_over;
    char why[HF_TOP_WHY_MAX];
    uint64_t answered_ns; /* monotonic; of the last answer, or the start */
};

static const char *const help[] = {
    "",
    "  1 2 3, Tab    pipelines, queues, exporters",
    "  s, S          sort by the next column, by the one before",
    "  r             the other way round",
    "  /             show what contains a text; Enter keeps it, Esc ends it",
    "  d             the second lines: what leads where, what went wrong",
    "  p, Space      pause",
    "  arrows, PgUp, PgDn, Home   scroll",
    "  q             end",
    "",
    "  IN/S and OUT/S are items per second; QUEUED is the longest backlog of a queue.",
    "  FULL IN: at the present rate of intake and with nothing delivered.",
    "  A pipeline's STATE is that of its worst exporter: working, retrying (the last",
    "  attempt failed), held (some requests wait), unhealthy (refused for good reason).",
    NULL,
};

static void ask(struct screen *screen)
{
    char *text = NULL;
    size_t size = 0;
    uint64_t now_ns = hf_clock_monotonic_ns();
    enum hf_status status = screen->source->ask(screen->source->user, &text, &size, screen->why);
    if (status == HF_OK) {
        status = hf_top_take(&screen->top, hf_slice_of(text, size));
        snprintf(screen->why, sizeof(screen->why), "%s",
                 status == HF_NOMEM ? "out of memory" : "the answer is of another version");
    }
    free(text);
    screen->view.lost = status == HF_OK ? NULL : screen->why;
    screen->answered_ns = status == HF_OK ? now_ns : screen->answered_ns;
    screen->view.lost_s = (double)(now_ns - screen->answered_ns) / 1e9;
}

static attr_t attributes_of(const struct screen *screen, enum hf_emphasis emphasis)
{
    switch (emphasis) {
    case HF_STRONG:
        return A_BOLD;
    case HF_FAINT:
        return A_DIM;
    case HF_REVERSED:
        return A_REVERSE;
    case HF_ALARM:
        return screen->has_colours ? A_BOLD | (attr_t)COLOR_PAIR(1) : A_BOLD;
    default:
        return A_NORMAL;
    }
}

static void put_line(const struct screen *screen, int row, const struct hf_page_line *line)
{
    attr_t attributes = attributes_of(screen, line->emphasis);
    attron(attributes);
    mvaddstr(row, 0, line->text);
    attroff(attributes);
}

static void put_foot(const struct screen *screen)
{
    static const char keys[] =
        "q end  1 2 3 part  s sort  r reverse  / filter  d detail  p pause  ? help";
    attron(A_REVERSE);
    mvhline(LINES - 1, 0, ' ', COLS);
    mvaddnstr(LINES - 1, 0, screen->shows_help ? "any key goes back" : keys, COLS - 1);
    attroff(A_REVERSE);
}

static void put_help(void)
{
    for (int i = 0; help[i] != NULL && i < LINES - 1; i++) {
        mvaddnstr(i, 0, help[i], COLS);
    }
}

static void put_page(struct screen *screen)
{
    screen->page.width = (size_t)COLS;
    size_t head = hf_view_draw(&screen->view, &screen->top, &screen->page);
    size_t room = (size_t)(LINES - 1) > head ? (size_t)(LINES - 1) - head : 0;
    size_t rest = screen->page.count - head;
    size_t most = rest > room ? rest - room : 0;
    screen->scroll = screen->scroll < most ? screen->scroll : most;
    for (size_t i = 0; i < head && i < (size_t)(LINES - 1); i++) {
        put_line(screen, (int)i, &screen->page.lines[i]);
    }
    for (size_t i = 0; i < room && i + screen->scroll < rest; i++) {
        put_line(screen, (int)(head + i), &screen->page.lines[head + screen->scroll + i]);
    }
}

static void draw(struct screen *screen)
{
    erase();
    if (screen->shows_help) {
        put_help();
    } else {
        put_page(screen);
    }
    put_foot(screen);
    refresh();
}

/* ---- keys ---- */

static void type(struct hf_view *view, int key)
{
    size_t size = strlen(view->filter);
    if (key == '\n' || key == '\r' || key == KEY_ENTER) {
        view->is_typing = false;
    } else if (key == ESCAPE) {
        view->is_typing = false;
        view->filter[0] = '\0';
    } else if ((key == KEY_BACKSPACE || key == 127 || key == '\b') && size > 0) {
        view->filter[size - 1] = '\0';
    } else if (key >= ' ' && key < 127 && size + 1 < sizeof(view->filter)) {
        view->filter[size] = (char)key;
        view->filter[size + 1] = '\0';
    }
}

static void turn_to(struct screen *screen, size_t part)
{
    screen->view.part = (enum hf_top_part)(part % HF_TOP_PART_COUNT);
    screen->scroll = 0;
}

static void sort_by(struct hf_view *view, size_t step)
{
    size_t count = hf_view_column_count(view->part);
    view->sorts[view->part] = (view->sorts[view->part] + step + count) % count;
}

static void scroll_by(struct screen *screen, long lines)
{
    long to = (long)screen->scroll + lines;
    screen->scroll = to > 0 ? (size_t)to : 0; /* the end is found when it is drawn */
}

static bool press_scrolling(struct screen *screen, int key)
{
    switch (key) {
    case KEY_DOWN:
    case 'j':
        scroll_by(screen, 1);
        return true;
    case KEY_UP:
    case 'k':
        scroll_by(screen, -1);
        return true;
    case KEY_NPAGE:
        scroll_by(screen, LINES / 2);
        return true;
    case KEY_PPAGE:
        scroll_by(screen, -LINES / 2);
        return true;
    case KEY_HOME:
        screen->scroll = 0;
        return true;
    default:
        return false;
    }
}

static void press(struct screen *screen, int key)
{
    struct hf_view *view = &screen->view;
    switch (key) {
    case 'q':
        screen->is_over = true;
        break;
    case '1':
    case '2':
    case '3':
        turn_to(screen, (size_t)(key - '1'));
        break;
    case '\t':
        turn_to(screen, (size_t)view->part + 1);
        break;
    case 's':
        sort_by(view, 1);
        break;
    case 'S':
        sort_by(view, hf_view_column_count(view->part) - 1);
        break;
    case 'r':
        view->is_reversed = !view->is_reversed;
        break;
    case 'd':
        view->hides_details = !view->hides_details;
        break;
    case 'p':
    case ' ':
        view->is_paused = !view->is_paused;
        break;
    case '/':
        view->is_typing = true;
        break;
    case ESCAPE:
        view->filter[0] = '\0';
        break;
    case '?':
    case 'h':
        screen->shows_help = true;
        break;
    default:
        break;
    }
}

static void take_key(struct screen *screen, int key)
{
    if (key == ERR || key == KEY_RESIZE) {
        return; /* the next drawing has the new size */
    }
    if (screen->shows_help) {
        screen->shows_help = false;
    } else if (screen->view.is_typing) {
        type(&screen->view, key);
    } else if (!press_scrolling(screen, key)) {
        press(screen, key);
    }
}

static int wait_ms(uint64_t due_ns)
{
    uint64_t now_ns = hf_clock_monotonic_ns();
    return due_ns > now_ns ? (int)((due_ns - now_ns) / HF_NS_PER_MS) + 1 : 0;
}

static void run(struct screen *screen)
{
    uint64_t due_ns = 0;
    while (!screen->is_over) {
        uint64_t now_ns = hf_clock_monotonic_ns();
        if (now_ns >= due_ns) {
            if (!screen->view.is_paused || screen->view.lost != NULL) {
                ask(screen);
            }
            due_ns = now_ns + screen->source->interval_ns;
        }
        draw(screen);
        timeout(wait_ms(due_ns));
        take_key(screen, getch());
    }
}

bool hf_top_screen(const struct hf_top_source *source, bool has_colours, bool is_ascii)
{
    struct screen *screen = calloc(1, sizeof(*screen));
    SCREEN *terminal = screen != NULL ? newterm(NULL, stdout, stdin) : NULL;
    if (terminal == NULL) {
        free(screen);
        return false;
    }
    set_term(terminal);
    screen->source = source;
    screen->view.is_ascii = is_ascii;
    screen->has_colours = has_colours && has_colors() && start_color() == OK;
    screen->answered_ns = hf_clock_monotonic_ns();
    if (screen->has_colours) {
        use_default_colors();
        init_pair(1, COLOR_RED, -1);
    }
    cbreak();
    noecho();
    nonl();
    curs_set(0);
    keypad(stdscr, TRUE);
    set_escdelay(ESCAPE_DELAY_MS);
    run(screen);
    endwin();
    delscreen(terminal);
    hf_page_release(&screen->page);
    hf_top_release(&screen->top);
    free(screen);
    return true;
}
