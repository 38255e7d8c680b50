/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One byte at a time through a small state machine, so that how the bytes were
 * cut into reads cannot matter. Only time-outs depend on the clock, and the
 * clock is the caller's.
 */
#include "ui/input.h"

#include <stdlib.h>
#include <string.h>

#include "ui/input_keys.h"

#define PARAMS_MAX 8
#define PARAM_LIMIT 100000      /* larger numbers stay here: no screen and no code point we take is larger */
#define QUEUE_MAX 65536         /* events nobody fetched; more are dropped, so memory stays bounded */

/*
 * A cut sequence is given up after this many time-outs without a byte: about a
 * second, so that the tail of a mouse report which a slow line delivers late
 * does not turn into commands.
 */
#define PATIENCE 40

enum state {
	STATE_GROUND,
	STATE_ESCAPE,           /* ESC */
	STATE_SS3,              /* ESC O */
	STATE_CSI,              /* ESC [ … */
	STATE_LINUX,            /* ESC [ [ : function keys of the Linux console */
	STATE_X10,              /* ESC [ M and three bytes */
	STATE_STRING,           /* OSC, DCS, SOS, PM, APC: to BEL or ESC \ */
	STATE_STRING_ESCAPE,
	STATE_PASTE,            /* between CSI 200 ~ and CSI 201 ~ */
};

struct gs_input {
	enum state state;
	unsigned timeouts;              /* since the last byte */

	/* a UTF-8 character under way, in GROUND, PASTE or after ESC */
	struct gs_utf8 utf8;
	bool utf8_alt;

	char lead;                      /* what began a STRING */
	size_t string_bytes;

	char leader;                    /* '<', '?', … after CSI, or 0 */
	bool is_odd;                    /* has what we do not know: swallow only */
	size_t csi_bytes;
	int params[PARAMS_MAX];
	size_t n_params;                /* those begun */
	bool in_sub;                    /* after ':' */

	unsigned char x10[3];
	size_t n_x10;
	int held_button;                /* last pressed */

	size_t paste_match;             /* bytes of the end mark that have been seen */

	struct gs_event *queue;
	size_t head, n, room;
};

struct gs_input *gs_input_new(void)
{
	return calloc(1, sizeof(struct gs_input));
}

struct gs_input *gs_input_free(struct gs_input *in)
{
	if (in)
		free(in->queue);
	free(in);
	return NULL;
}

/* ------------------------------------------------------------------ */
/* events out */

static bool make_room(struct gs_input *in)
{
	size_t room = in->room ? in->room * 2 : 64;
	struct gs_event *queue;

	if (in->n < in->room)
		return true;
	if (room > QUEUE_MAX)
		return false;
	queue = calloc(room, sizeof(*queue));
	if (!queue)
		return false;
	for (size_t i = 0; i < in->n; i++)
		queue[i] = in->queue[(in->head + i) % in->room];
	free(in->queue);
	in->queue = queue;
	in->room = room;
	in->head = 0;
	return true;
}

static void emit(struct gs_input *in, const struct gs_event *ev)
{
	if (!make_room(in))
		return;
	in->queue[(in->head + in->n) % in->room] = *ev;
	in->n++;
}

bool gs_input_next(struct gs_input *in, struct gs_event *ret_event)
{
	if (!in->n)
		return false;
	*ret_event = in->queue[in->head];
	in->head = (in->head + 1) % in->room;
	in->n--;
	return true;
}

/* The modifier parameter of xterm: 1 + shift 1 + alt 2 + ctrl 4 + meta 8. A sequence that is no key gives no event. */
static void emit_key(struct gs_input *in, uint32_t key, int modifier)
{
	struct gs_event ev = { .type = GS_EVENT_KEY, .key = key, .is_pasted = in->state == STATE_PASTE };
	unsigned bits = modifier > 1 ? (unsigned)(modifier - 1) : 0;

	ev.shift = bits & 1;
	ev.alt = bits & (2 | 8);
	ev.ctrl = bits & 4;
	if (key != GS_KEY_NONE)
		emit(in, &ev);
}

/* One character that was typed; controls get their names. */
static void emit_character(struct gs_input *in, uint32_t code, bool alt)
{
	struct gs_event ev = { .type = GS_EVENT_KEY, .key = code, .alt = alt, .is_pasted = in->state == STATE_PASTE };

	if (code == '\n')
		ev.key = GS_KEY_ENTER;
	else if (code == 8)
		ev.key = GS_KEY_BACKSPACE;
	if (ev.is_pasted) {
		/* text has lines and tabs; any other control in it is not for us */
		if (ev.key < 0x20 && ev.key != GS_KEY_ENTER && ev.key != GS_KEY_TAB)
			return;
		if (ev.key == GS_KEY_BACKSPACE)
			return;
	} else if (code == 0) {
		ev.key = GS_KEY_SPACE;
		ev.ctrl = true;
	} else if (ev.key < 0x20 && ev.key != GS_KEY_ENTER && ev.key != GS_KEY_TAB && ev.key != GS_KEY_ESCAPE) {
		ev.ctrl = true;
	}
	emit(in, &ev);
}

/* ------------------------------------------------------------------ */
/* characters */

/* @byte is not ASCII and no character is under way. Malformed: never a key. */
static void begin_code(struct gs_input *in, unsigned char byte, bool alt)
{
	gs_utf8_begin(&in->utf8, byte);
	in->utf8_alt = alt;
}

/* True when @byte belonged to the character under way. */
static bool continue_code(struct gs_input *in, unsigned char byte)
{
	uint32_t code = 0;

	if (!gs_utf8_continue(&in->utf8, byte, &code))
		return false;
	if (code)
		emit_character(in, code, in->utf8_alt);
	return true;
}

/* ------------------------------------------------------------------ */
/* sequences */

static void emit_modified(struct gs_input *in, int code, int modifier)
{
	emit_key(in, gs_key_by_code(code, modifier > 1 ? (unsigned)(modifier - 1) : 0), modifier);
}

static void emit_mouse(struct gs_input *in, int bits, int column, int row, enum gs_mouse_report report)
{
	struct gs_event ev;

	if (gs_mouse_decode(bits, column, row, report, &in->held_button, &ev))
		emit(in, &ev);
}

/* Parameter @i; absent or empty: @otherwise. */
static int param(const struct gs_input *in, size_t i, int otherwise)
{
	return i < in->n_params && in->params[i] >= 0 ? in->params[i] : otherwise;
}

static void end_tilde(struct gs_input *in, int modifier)
{
	int n = param(in, 0, 0);

	if (n == 200) {
		in->state = STATE_PASTE;
		in->paste_match = 0;
	} else if (n == 27 && in->n_params == 3) {
		emit_modified(in, param(in, 2, 0), modifier);
	} else {
		emit_key(in, gs_key_by_number(n), modifier);
	}
}

static void end_csi(struct gs_input *in, unsigned char final)
{
	int modifier = param(in, 1, 1);
	uint32_t key;

	in->state = STATE_GROUND;
	if (in->is_odd)
		return;
	if (in->leader == '<') {
		if ((final == 'M' || final == 'm') && in->n_params == 3)
			emit_mouse(in, param(in, 0, -1), param(in, 1, 0), param(in, 2, 0),
				   final == 'm' ? GS_MOUSE_REPORT_SGR_RELEASE : GS_MOUSE_REPORT_SGR);
		return;
	}
	if (in->leader)
		return;
	if (final == 'M' && !in->n_params) {
		in->state = STATE_X10;
		in->n_x10 = 0;
		return;
	}
	if (final == '~') {
		end_tilde(in, modifier);
		return;
	}
	if (final == '$' || final == '^' || final == '@') {
		/* rxvt: shift, ctrl, both */
		key = in->n_params == 1 ? gs_key_by_number(param(in, 0, 0)) : GS_KEY_NONE;
		emit_key(in, key, final == '$' ? 2 : final == '^' ? 5 : 6);
		return;
	}
	if (final == 'u') {
		if (in->n_params)
			emit_modified(in, param(in, 0, 0), modifier);
		return;
	}
	key = gs_key_by_letter(final);
	/* CSI 1;1R could also be a cursor report: nobody asked for one, but then it is no F3 */
	if (param(in, 0, 1) == 1 && in->n_params <= 2)
		emit_key(in, key, modifier);
}

static void begin_csi(struct gs_input *in)
{
	in->state = STATE_CSI;
	in->leader = 0;
	in->is_odd = false;
	in->in_sub = false;
	in->csi_bytes = 0;
	in->n_params = 0;
}

static void add_digit(struct gs_input *in, int digit)
{
	int *p;

	if (!in->n_params) {
		in->params[0] = -1;
		in->n_params = 1;
	}
	if (in->in_sub)
		return;         /* alternatives of a key, not asked for */
	p = &in->params[in->n_params - 1];
	*p = (*p < 0 ? 0 : *p) * 10 + digit;
	if (*p > PARAM_LIMIT)
		*p = PARAM_LIMIT;
}

static void add_separator(struct gs_input *in)
{
	if (!in->n_params)
		in->params[in->n_params++] = -1;
	if (in->n_params == PARAMS_MAX) {
		in->is_odd = true;
		return;
	}
	in->params[in->n_params++] = -1;
	in->in_sub = false;
}

/* ESC and the controls are dealt with before. */
static void csi_byte(struct gs_input *in, unsigned char byte)
{
	bool is_first = in->csi_bytes++ == 0;

	if (byte >= '0' && byte <= '9') {
		add_digit(in, byte - '0');
	} else if (byte == ';') {
		add_separator(in);
	} else if (byte == ':') {
		in->in_sub = true;
	} else if (byte >= '<' && byte <= '?') {
		if (is_first)
			in->leader = (char)byte;
		else
			in->is_odd = true;
	} else if (byte == '$' && !in->leader && !in->is_odd && in->n_params == 1) {
		end_csi(in, byte);
	} else if (byte >= 0x20 && byte <= 0x2f) {
		in->is_odd = true;
	} else if (byte == '[' && is_first) {
		in->state = STATE_LINUX;
	} else if (byte >= 0x40 && byte <= 0x7e) {
		end_csi(in, byte);
	} else {
		in->state = STATE_GROUND;       /* no such byte in a sequence: both are dropped */
	}
}

static void ss3_byte(struct gs_input *in, unsigned char byte)
{
	uint32_t key = gs_key_by_ss3(byte);

	/* some terminals put the modifier between: ESC O 5 A */
	if (byte >= '0' && byte <= '9' && in->csi_bytes++ < 4) {
		add_digit(in, byte - '0');
		return;
	}
	in->state = STATE_GROUND;
	emit_key(in, key, param(in, 0, 1));
}

static void escape_byte(struct gs_input *in, unsigned char byte)
{
	in->state = STATE_GROUND;
	switch (byte) {
	case '[':
		begin_csi(in);
		break;
	case 'O':
		begin_csi(in);
		in->state = STATE_SS3;
		break;
	case ']': case 'P': case 'X': case '^': case '_':
		in->state = STATE_STRING;
		in->lead = (char)byte;
		in->string_bytes = 0;
		break;
	default:
		if (byte < 0x80)
			emit_character(in, byte, true);
		else
			begin_code(in, byte, true);
	}
}

static void x10_byte(struct gs_input *in, unsigned char byte)
{
	in->x10[in->n_x10++] = byte;
	if (in->n_x10 < sizeof(in->x10))
		return;
	in->state = STATE_GROUND;
	emit_mouse(in, in->x10[0] - 32, in->x10[1] - 32, in->x10[2] - 32, GS_MOUSE_REPORT_X10);
}

static void string_byte(struct gs_input *in, unsigned char byte)
{
	in->string_bytes++;
	if (byte == 7 || byte == 0x18 || byte == 0x1a)
		in->state = STATE_GROUND;
}

/*
 * In a paste only its end mark means anything. What began like the mark and
 * was not is text after all, without its ESC.
 */
static void paste_byte(struct gs_input *in, unsigned char byte)
{
	static const char mark[] = "\033[201~";

	if (byte == (unsigned char)mark[in->paste_match]) {
		in->utf8.left = 0;
		if (!mark[++in->paste_match])
			in->state = STATE_GROUND;
		return;
	}
	for (size_t i = 1; i < in->paste_match; i++)
		emit_character(in, (unsigned char)mark[i], false);
	in->paste_match = 0;
	if (byte == 27)
		in->paste_match = 1;
	else if (!continue_code(in, byte)) {
		if (byte < 0x80)
			emit_character(in, byte, false);
		else
			begin_code(in, byte, false);
	}
}

/* ESC begins anew wherever it comes, except in a paste; after a lone ESC the first was a key. */
static void escape(struct gs_input *in)
{
	if (in->state == STATE_ESCAPE)
		emit_character(in, GS_KEY_ESCAPE, false);
	in->state = in->state == STATE_STRING ? STATE_STRING_ESCAPE : STATE_ESCAPE;
}

static void feed_byte(struct gs_input *in, unsigned char byte)
{
	if (in->state == STATE_PASTE) {
		paste_byte(in, byte);
		return;
	}
	if (in->state != STATE_X10 && continue_code(in, byte))
		return;
	if (byte == 27) {
		escape(in);
		return;
	}
	switch (in->state) {
	case STATE_GROUND:
	case STATE_PASTE:
		if (byte < 0x80)
			emit_character(in, byte, false);
		else
			begin_code(in, byte, false);
		break;
	case STATE_ESCAPE:
		escape_byte(in, byte);
		break;
	case STATE_SS3:
		ss3_byte(in, byte);
		break;
	case STATE_CSI:
		csi_byte(in, byte);
		break;
	case STATE_LINUX:
		in->state = STATE_GROUND;
		if (byte >= 'A' && byte <= 'E')
			emit_key(in, GS_KEY_F1 + (uint32_t)(byte - 'A'), 1);
		break;
	case STATE_X10:
		x10_byte(in, byte);
		break;
	case STATE_STRING:
		string_byte(in, byte);
		break;
	case STATE_STRING_ESCAPE:
		/* ESC \ ends the string; any other escape ends it too and counts */
		in->state = STATE_GROUND;
		if (byte != '\\')
			escape_byte(in, byte);
		break;
	}
}

void gs_input_feed(struct gs_input *in, const void *bytes, size_t n)
{
	const unsigned char *p = bytes;

	for (size_t i = 0; i < n; i++)
		feed_byte(in, p[i]);
	if (n)
		in->timeouts = 0;
}

void gs_input_end_paste(struct gs_input *in)
{
	if (in->state != STATE_PASTE)
		return;
	in->utf8.left = 0;
	in->paste_match = 0;
	in->state = STATE_GROUND;
}

/* ------------------------------------------------------------------ */
/* time */

/* A paste may pause for as long as it likes: what follows is still text, never a command. */
bool gs_input_is_undecided(const struct gs_input *in)
{
	return in->state != STATE_GROUND && in->state != STATE_PASTE;
}

void gs_input_timeout(struct gs_input *in)
{
	if (!gs_input_is_undecided(in))
		return;
	in->timeouts++;
	if (in->state == STATE_ESCAPE) {
		in->state = STATE_GROUND;
		emit_character(in, GS_KEY_ESCAPE, false);
	} else if (in->state == STATE_STRING && !in->string_bytes) {
		/* a terminal sends a string in one go: this was Alt and a key */
		in->state = STATE_GROUND;
		emit_character(in, (unsigned char)in->lead, true);
	} else if (in->timeouts >= PATIENCE) {
		in->state = STATE_GROUND;
	}
}
