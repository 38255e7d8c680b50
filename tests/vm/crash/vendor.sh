#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# vendor.sh - SIGKILL in a commit that re-types vGPUs on VFs.
. /lib/vm/killed.sh

both "mode $L40S vgpu
create $L40S L40S-24Q vf 0" "delete $L40S vf:0
create $L40S L40S-12Q vf 1
create $L40S L40S-12Q vf 2"
every record agent
every write all
done_killing 5
