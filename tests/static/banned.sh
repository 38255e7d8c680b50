#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# banned.sh - calls that have no place here, with what to use instead, and
# other things that a reader should not find.
set -u
n=0 bad=0
code="src backend ui"
tap() {
	n=$((n + 1))
	if [ -z "$2" ]; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		echo "$2" | sed 's/^/# /'
		bad=1
	fi
}
calls() { grep -rnE "(^|[^_[:alnum:].>])($1)[[:space:]]*\(" $code --include='*.[ch]' | grep -vE ':[[:space:]]*(\*|//|/\*)'; }

tap "no unbounded copies: snprintf, gs_strbuf" "$(calls 'strcpy|strcat|sprintf|vsprintf|gets|stpcpy|strncpy|strncat')"
tap "no lenient numbers: base/parse.h" "$(calls 'atoi|atol|atoll|atof|strtol|strtoul|strtoll|strtoull|sscanf|fscanf|scanf')"
tap "no hidden state: strtok, localtime, basename…" "$(calls 'strtok|localtime|gmtime|ctime|asctime|basename|dirname|rand|srand')"
tap "no shell: argv only" "$(calls 'system|popen|execl|execlp|wordexp')"
tap "no stack that depends on input" "$(calls 'alloca')"
tap "no sleeping: wait for the event" "$(calls 'sleep|usleep')"
tap "what the commands say on stderr comes behind stdout: gs_cli_say" "$(grep -nE '(^|[^v])fprintf\(stderr|perror\(' src/cli/*.c)"
tap "no threads" "$(grep -rn 'pthread' $code --include='*.[ch]')"
tap "libraries do not end the process" "$(grep -rnE '(^|[^_[:alnum:]])(exit|abort)\(' src/base src/core src/codec backend ui --include='*.c' | grep -vE '_exit\(')"
tap "descriptors are closed on exec" "$(grep -rnE '(^|[^_[:alnum:]])(open|openat|pipe|socket|accept|dup)\(' $code --include='*.c' | grep -vE 'CLOEXEC|open_in\(|flags \||F_DUPFD' | grep -vE ':[[:space:]]*(\*|/\*)')"
tap "every file says its licence" "$(find src backend ui tests -name '*.[ch]' | xargs grep -L 'SPDX-License-Identifier: GPL-2.0-or-later')"
tap "tabs, not blanks, and nothing at line ends" "$(grep -rnE '^        |[[:space:]]+$' src backend ui tests --include='*.[ch]' | head -20)"
echo "1..$n"
exit $bad
