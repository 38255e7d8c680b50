/* SPDX-License-Identifier: GPL-2.0-or-later */
/* actions.c - the one table of what a person can do: keys, hints and help all come from here. */
#include "ui/control_internal.h"

#define EDITS GS_ACTION_EDITS
#define FREE GS_ACTION_ON_FREE
#define LIVE GS_ACTION_ON_LIVE
#define STAGED GS_ACTION_ON_STAGED
#define ALWAYS GS_ACTION_ALWAYS

static const struct gs_action actions[GS_ACTION_MAX] = {
	[GS_ACTION_CREATE] = { "create", { 'c' }, "c", "create",
		"Create instances: a number picks the profile, Left and Right the start, x2 to x7 how many, Enter stages it.", EDITS | FREE },
	[GS_ACTION_SELECT] = { "select", { 'v' }, "v", "select",
		"Select units: arrows extend, Enter offers the profiles that fit. Dragging with the mouse does the same.", EDITS | FREE },
	[GS_ACTION_DELETE] = { "delete", { 'd', GS_KEY_DELETE }, "d", "delete",
		"Stage the deletion of the instance under the cursor.", EDITS | LIVE },
	[GS_ACTION_REPLACE] = { "replace", { 'R' }, "R", "replace",
		"On an instance: stage that it is deleted and created again. In the palette: also what is in the way goes.", EDITS },
	[GS_ACTION_MOVE] = { "move", { 'm' }, "m", "move", "Stage that a MIG instance is created anew at another place. A vGPU does not move.", EDITS },
	[GS_ACTION_MODE] = { "mode", { 'M' }, "M", "mode", "Choose what this GPU is used as: whole, MIG, vGPU, SR-IOV, passthrough, as far as it can; with what that means.", EDITS },
	[GS_ACTION_SETTINGS] = { "settings", { 's' }, "s", "settings", "What this GPU is set to: partitions, scheduling, how many VFs. Enter stages another word.", 0,
		"What this GPU is set to: partitions, scheduling." },
	[GS_ACTION_DROP] = { "drop", { 'x' }, "x", "drop", "Drop the staged command under the cursor; r brings it back.", EDITS | STAGED },
	[GS_ACTION_DROP_ALL] = { "drop-all", { 'X' }, "X", "drop all", "Drop everything that is staged, after asking; r brings it back one by one.", EDITS },
	[GS_ACTION_UNDO] = { "undo", { 'u' }, "u", "undo", "Take the last staged command back. Stops at what has been written.", EDITS },
	[GS_ACTION_REDO] = { "redo", { 'r' }, "r", "redo", "Stage again what was taken back or dropped.", EDITS },
	[GS_ACTION_REVIEW] = { "review", { 'p' }, "p", "review", "Look at the whole plan: who stops, findings, steps, what is kept.", EDITS },
	[GS_ACTION_WRITE] = { "write", { 'W' }, "W", "write",
		"Review the plan, then write it: y when nobody's work stops, else HOST:GPU is typed. Nothing happens before.", EDITS | ALWAYS },
	[GS_ACTION_SAVE] = { "save", { 'S' }, "S", "saved",
		"What comes back at boot and what does not, and how the machine differs from what is saved; y saves it as it is now, r puts back what is saved.", EDITS },
	[GS_ACTION_UNDO_COMMIT] = { "undo-commit", { 'U' }, "U", "undo commit",
		"Undo the last commit that is not undone, or the one in the list of them, with a review of its own; what is staged stays staged.", EDITS },
	[GS_ACTION_RECOVER] = { "recover", { 'I' }, "I", "interrupted",
		"A commit that never ended: how far it came, how the machine is now; finish it, take it back or leave it.", EDITS },
	[GS_ACTION_HISTORY] = { "history", { 'H' }, "H", "history", "The commits of this machine, the newest first. Enter shows one, U undoes it.", EDITS },
	[GS_ACTION_COMMAND] = { "command", { ':' }, ":", "command",
		"Type a command: create 2 2g.20gb, delete 2 all, mode 4 mig; or undo 12, recover, history, save, restore. Tab completes, Up and Down go through what was typed.", EDITS },
	[GS_ACTION_MARK] = { "mark", { GS_KEY_SPACE }, "Space", "mark", "Mark this GPU: create, delete and mode then go to all marked ones.", EDITS },
	[GS_ACTION_LANE] = { "lane", { 't' }, "t", "now/after", "Show the grid as it is, as it would be, or both.", GS_ACTION_FOR_EDITS },
	[GS_ACTION_WHO] = { "who", { 'b' }, "b", "who", "Who uses the instance, VF or GPU under the cursor, and whether they would mind.", LIVE },
	[GS_ACTION_EXPLAIN] = { "explain", { 'e' }, "e", "explain",
		"The finding under the cursor in full, with what would do as well. Tab does it where a word is being typed.", STAGED | GS_ACTION_FOR_EDITS },
	[GS_ACTION_ROOT] = { "root", { '!' }, "!", "sudo", "Ask sudo for an agent that may see and write everything; what is staged stays.", GS_ACTION_FOR_EDITS },
	[GS_ACTION_OPEN] = { "open", { GS_KEY_ENTER }, "Enter", "open", "Open what is under the cursor. Never writes and never replaces a live instance.", 0,
		"Open what is under the cursor." },
	[GS_ACTION_BACK] = { "back", { GS_KEY_ESCAPE }, "Esc", "back", "Go back one layer, give up a selection, clear the marks. Never drops staged work.", 0,
		"Go back one layer." },
	[GS_ACTION_MOVE_UP] = { "up", { GS_KEY_UP, 'k' }, "Up k", "up", "Up: the GPU or the line above.", 0 },
	[GS_ACTION_MOVE_DOWN] = { "down", { GS_KEY_DOWN, 'j' }, "Down j", "down", "Down: the GPU or the line below.", 0 },
	[GS_ACTION_MOVE_LEFT] = { "left", { GS_KEY_LEFT, 'h' }, "Left h", "left", "Left: the unit or block before.", 0 },
	[GS_ACTION_MOVE_RIGHT] = { "right", { GS_KEY_RIGHT, 'l' }, "Right l", "right", "Right: the unit or block behind.", 0 },
	[GS_ACTION_FIRST] = { "first", { GS_KEY_HOME, 'g' }, "Home g", "first", "The first GPU, unit or line.", 0 },
	[GS_ACTION_LAST] = { "last", { GS_KEY_END, 'G' }, "End G", "last", "The last GPU, unit or line.", 0 },
	[GS_ACTION_PAGE_UP] = { "page-up", { GS_KEY_PAGE_UP }, "PgUp", "page up", "Ten lines up.", 0 },
	[GS_ACTION_PAGE_DOWN] = { "page-down", { GS_KEY_PAGE_DOWN }, "PgDn", "page down", "Ten lines down.", 0 },
	[GS_ACTION_NEXT_PANE] = { "next-pane", { GS_KEY_TAB }, "Tab", "pane", "From the fleet to the grid to the plan.", 0 },
	[GS_ACTION_PREVIOUS_PANE] = { "previous-pane", { GS_KEY_BACKTAB }, "S-Tab", "pane back", "The other way round.", 0 },
	[GS_ACTION_EXTEND] = { "extend", { GS_KEY_RIGHT, GS_KEY_LEFT }, "Left/Right", "extend", "While selecting: a unit more or less.", GS_ACTION_FOR_EDITS },
	[GS_ACTION_START] = { "start", { GS_KEY_RIGHT, GS_KEY_LEFT }, "Left/Right", "start",
		"In the palette and the chooser: another place for the profile.", GS_ACTION_FOR_EDITS },
	[GS_ACTION_STAGE] = { "stage", { GS_KEY_ENTER }, "Enter", "stage", "In a list of what could be: put the chosen one on the list of what is staged.", GS_ACTION_FOR_EDITS },
	[GS_ACTION_COUNT] = { "count", { 'x' }, "x2..", "count", "In the palette: how many.", EDITS },
	[GS_ACTION_FIND] = { "find", { '/' }, "/", "find", "In the palette: only the profiles with a part of a name, which is typed behind it; of many types any free letter begins one.", GS_ACTION_FOR_EDITS },
	[GS_ACTION_WHO_FOR] = { "who-for", { 'f' }, "f", "other operation", "In the list of who uses it: whom another operation would disturb (mode, delete, vfs, passthrough).", 0 },
	[GS_ACTION_WHO_AGAIN] = { "who-again", { 'r' }, "r", "look again", "In the list of who uses it: look again.", 0 },
	[GS_ACTION_CONFIRM] = { "confirm", { 'y' }, "y", "write", "In the review: write, when nobody's work stops.", EDITS },
	[GS_ACTION_KILL] = { "kill", { GS_KEY_CTRL('k') }, "^K", "SIGKILL",
		"In the review: allow SIGKILL for a process that does not go on SIGTERM within 30 s; again takes that back.", EDITS },
	[GS_ACTION_MESSAGE] = { "message", { 'm', GS_KEY_CTRL('t') }, "m ^T", "why", "In the review: say why, for the record; ^T does it where a word is being typed.", EDITS },
	[GS_ACTION_SAVE_TOO] = { "save-too", { 'S' }, "S", "save too", "In the review: save for boot as well, once it is written; again takes that back.", EDITS },
	[GS_ACTION_SAVE_NOW] = { "save-now", { 'y' }, "y", "save", "In the list of what comes back at boot: save the machine as it is now.", EDITS },
	[GS_ACTION_RESTORE] = { "restore", { 'r' }, "r", "restore", "In the list of what comes back at boot: put back what is saved, after a review.", EDITS },
	[GS_ACTION_SAVE_SCRIPT] = { "save-script", { 's' }, "s", "script", "In the review and on leaving: save the staged commands as a script for gpuslice apply.", GS_ACTION_FOR_EDITS },
	[GS_ACTION_STOP] = { "stop", { GS_KEY_CTRL('c') }, "Ctrl-C", "stop", "While writing: the commit waits behind its step, and asks. Elsewhere the same as q.", GS_ACTION_FOR_EDITS },
	[GS_ACTION_STOP_UNDO] = { "stop-undo", { 'u', GS_KEY_CTRL('c') }, "u", "stop and undo", "When a commit asks: stop behind this step and undo what was done. A second Ctrl-C says the same.", GS_ACTION_FOR_EDITS },
	[GS_ACTION_GO_ON] = { "go-on", { 'g', GS_KEY_ESCAPE }, "g", "go on", "When a commit asks: go on.", GS_ACTION_FOR_EDITS },
	[GS_ACTION_LEAVE] = { "leave", { 'D' }, "D", "leave it", "While a write waits in the kernel: leave it pending and come back; it happens when its holder lets go.", EDITS },
	[GS_ACTION_WAIT] = { "wait", { 'w' }, "w", "wait and write", "When another commit is under way: wait for its end, then write. If it changed what the plan was made from, the review comes again. Esc stops waiting.", EDITS },
	[GS_ACTION_FINISH] = { "finish", { 'f' }, "f", "finish", "On an interrupted commit: go on to what it was to make, after a review.", GS_ACTION_FOR_EDITS },
	[GS_ACTION_TAKE_BACK] = { "take-back", { 'u' }, "u", "undo", "On an interrupted commit: back to what was before it, after a review.", GS_ACTION_FOR_EDITS },
	[GS_ACTION_LEAVE_COMMIT] = { "leave-commit", { 'l' }, "l", "leave", "On an interrupted commit: close it as it is, after asking; nothing is changed.", GS_ACTION_FOR_EDITS },
	[GS_ACTION_REPAINT] = { "repaint", { GS_KEY_CTRL('l') }, "Ctrl-L", "repaint", "Paint the whole screen again.", 0 },
	[GS_ACTION_SUSPEND] = { "suspend", { GS_KEY_CTRL('z') }, "Ctrl-Z", "suspend", "Back to the shell; fg comes back here.", 0 },
	[GS_ACTION_AGENT] = { "agent", { 'A' }, "A", "new agent", "When the agent has ended, and too often to be started again by itself: start a new one.", 0 },
	[GS_ACTION_HELP] = { "help", { '?', GS_KEY_F1 }, "?", "help", "This list.", ALWAYS },
	[GS_ACTION_QUIT] = { "quit", { 'q', GS_KEY_F10 }, "q", "quit", "Leave. With staged work it asks: save a script, drop, stay.", ALWAYS, "Leave." },
};

const struct gs_action *gs_actions(size_t *ret_n)
{
	*ret_n = GS_ACTION_MAX;
	return actions;
}

bool gs_action_has_key(enum gs_action_id id, uint32_t key)
{
	for (size_t i = 0; i < GS_ARRAY_SIZE(actions[id].keys); i++)
		if (key && actions[id].keys[i] == key)
			return true;
	return false;
}

enum gs_action_id gs_action_of_key(uint32_t key)
{
	for (int id = 0; id < GS_ACTION_MAX; id++)
		if (gs_action_has_key(id, key))
			return id;
	return GS_ACTION_MAX;
}
