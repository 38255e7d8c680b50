/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ui/input_keys.h"

#define CODE_LIMIT 100000       /* no code point that we take is larger */

uint32_t gs_key_by_letter(unsigned char final)
{
	switch (final) {
	case 'A': return GS_KEY_UP;
	case 'B': return GS_KEY_DOWN;
	case 'C': return GS_KEY_RIGHT;
	case 'D': return GS_KEY_LEFT;
	case 'F': return GS_KEY_END;
	case 'H': return GS_KEY_HOME;
	case 'P': return GS_KEY_F1;
	case 'Q': return GS_KEY_F2;
	case 'R': return GS_KEY_F3;
	case 'S': return GS_KEY_F4;
	case 'Z': return GS_KEY_BACKTAB;
	default: return GS_KEY_NONE;
	}
}

uint32_t gs_key_by_ss3(unsigned char final)
{
	static const char keypad[] = "*+,-./0123456789";

	if (final >= 'j' && final <= 'y')
		return (uint32_t)keypad[final - 'j'];
	if (final == 'M')
		return GS_KEY_ENTER;
	return final == 'Z' ? (uint32_t)GS_KEY_NONE : gs_key_by_letter(final);
}

uint32_t gs_key_by_number(int n)
{
	static const uint32_t low[] = {
		[1] = GS_KEY_HOME, [2] = GS_KEY_INSERT, [3] = GS_KEY_DELETE, [4] = GS_KEY_END,
		[5] = GS_KEY_PAGE_UP, [6] = GS_KEY_PAGE_DOWN, [7] = GS_KEY_HOME, [8] = GS_KEY_END,
		[11] = GS_KEY_F1, [12] = GS_KEY_F2, [13] = GS_KEY_F3, [14] = GS_KEY_F4, [15] = GS_KEY_F5,
		[17] = GS_KEY_F6, [18] = GS_KEY_F7, [19] = GS_KEY_F8, [20] = GS_KEY_F9, [21] = GS_KEY_F10,
		[23] = GS_KEY_F11, [24] = GS_KEY_F12,
	};

	return n >= 0 && (size_t)n < sizeof(low) / sizeof(low[0]) ? low[n] : GS_KEY_NONE;
}

uint32_t gs_key_by_code(int code, unsigned bits)
{
	uint32_t key = (uint32_t)code;

	if (code <= 0 || (code > 0x7f && code < 0xa0) || (code >= 0xd800 && code <= 0xf8ff) || code >= CODE_LIMIT)
		return GS_KEY_NONE;     /* kitty puts its own keys into the private area */
	if ((bits & 4) && ((key >= 'a' && key <= 'z') || (key >= '@' && key <= '_')))
		return GS_KEY_CTRL(key);
	if (key == '\t' && (bits & 1))
		return GS_KEY_BACKTAB;
	return key;
}

void gs_utf8_begin(struct gs_utf8 *u, unsigned char byte)
{
	u->left = 0;
	if (byte < 0xc2 || byte > 0xf4)
		return;
	u->left = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
	u->code = byte & (0x3fu >> u->left);
	u->smallest = u->left == 1 ? 0xa0 : u->left == 2 ? 0x800 : 0x10000;
}

bool gs_utf8_continue(struct gs_utf8 *u, unsigned char byte, uint32_t *ret_code)
{
	if (!u->left)
		return false;
	if ((byte & 0xc0) != 0x80) {
		u->left = 0;
		return false;
	}
	u->code = u->code << 6 | (byte & 0x3fu);
	if (--u->left == 0 && u->code >= u->smallest && u->code <= 0x10ffff && !(u->code >= 0xd800 && u->code <= 0xdfff))
		*ret_code = u->code;
	return true;
}

bool gs_mouse_decode(int bits, int column, int row, enum gs_mouse_report report, int *held_button, struct gs_event *ret_event)
{
	struct gs_event ev = { .type = GS_EVENT_MOUSE, .row = row - 1, .column = column - 1 };
	bool is_release = report == GS_MOUSE_REPORT_SGR_RELEASE;
	int button = bits & 3;

	/* 128: buttons 8 and up; coordinates count from 1 */
	if (bits < 0 || bits > 127 || row < 1 || column < 1 || row > 65535 || column > 65535)
		return false;
	ev.shift = bits & 4;
	ev.alt = bits & 8;
	ev.ctrl = bits & 16;
	if (bits & 64) {
		if (is_release || button > 1)
			return false;   /* a wheel has no release; 2 and 3 are sideways */
		ev.mouse = button ? GS_MOUSE_WHEEL_DOWN : GS_MOUSE_WHEEL_UP;
	} else if (!is_release && (bits & 32)) {
		if (button == 3)
			return false;   /* moved with no button down */
		ev.mouse = GS_MOUSE_DRAG;
		ev.button = button;
	} else if (is_release || (report == GS_MOUSE_REPORT_X10 && button == 3)) {
		ev.mouse = GS_MOUSE_RELEASE;
		ev.button = button == 3 ? *held_button : button;
	} else if (button == 3) {
		return false;
	} else {
		ev.mouse = GS_MOUSE_PRESS;
		ev.button = *held_button = button;
	}
	*ret_event = ev;
	return true;
}
