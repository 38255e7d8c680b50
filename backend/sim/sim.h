/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sim.h - a machine that is not there: its tree, its kernel, its processes.
 * Its NVML is the stand-in libnvidia-ml.so.1, built from this folder too.
 *
 * One state file is the truth; it is replaced by rename under a lock. The
 * tree (sys/ proc/ dev/ run/) is derived from it and carries its generation.
 * Uses base and raw data files only, never core: a simulator that shared the
 * planner's placement code would only agree with itself.
 */
#ifndef GS_BACKEND_SIM_H
#define GS_BACKEND_SIM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/root.h"

struct gs_sim;

/* Names of the shipped hosts, sorted; NULL ends. The caller frees each and the array. */
int gs_sim_list(char ***ret_names, struct gs_error *e);

/*
 * Open the simulated host @name (one of gs_sim_list), making it from its data
 * file the first time, under gs_state_dir()/sim/NAME. The tree is brought up
 * to date. Unknown name: status INVALID with the known ones.
 */
int gs_sim_open(const char *name, struct gs_sim **ret_sim, struct gs_error *e);
struct gs_sim *gs_sim_close(struct gs_sim *sim);
GS_DEFINE_CLEANUP(struct gs_sim *, gs_sim_close);

/* Back to the shipped state; a running console sees it as a change. Faults are cleared. */
int gs_sim_reset(const char *name, struct gs_error *e);

/*
 * The machine reboots, by the rules of interfaces 0.4 and 5.8, which are written down here once more and not taken from the planner.
 *
 * Gone: GPU and compute instances, VFs, vGPU types, mdevs, vGPU settings, AMD's partitions (SPX, NPS1), Intel's shares,
 * driver_override, writes that wait (whoever waits gets EIO, and nothing is carried out), modules that were loaded by hand,
 * processes, VMs and containers, what lies in run/, and the faults but for «uuid» and «library».
 * Kept: MIG mode on models that need a reset for it (Ampere keeps it on the board), a pending change of it made current; etc/ and var/.
 * Back: what the host file has running in its active units, with their pids; its modules; a function that the host file gives to VFIO
 * without a driver_override (that is what ids= at boot looks like). With a driver_override it was given away
 * later, so it gets the driver that its ids are for. What programs such as scontrol print is the host file's and says the same.
 * The boot id is a new one. Serials, handles and UUIDs are never given out again.
 */
int gs_sim_reboot(struct gs_sim *sim, struct gs_error *e);

/*
 * The module of @driver (NULL: the only one that the GPUs have) is unloaded and loaded again, as an update does it: units that have
 * its GPUs open are stopped and started again, with new pids. Gone and kept is as after a reboot, for its GPUs only (interfaces 5.8, 6.2);
 * driver_override lasts, a pending memory mode of AMD becomes current. The kernel's log says it, at the real time.
 * Status REFUSED, nothing done, as long as anything else has one of them open, by what rmmod says then; INVALID for a driver without a GPU.
 */
int gs_sim_reload(struct gs_sim *sim, const char *driver, struct gs_error *e);

/* The directory of state.json and tree/; the tree itself. Borrowed. */
const char *gs_sim_dir(const struct gs_sim *sim);
const char *gs_sim_tree(const struct gs_sim *sim);
const char *gs_sim_host(const struct gs_sim *sim);

/* Does the caller count as root on this machine? True until told otherwise. */
void gs_sim_set_root(struct gs_sim *sim, bool is_root);

/* For gs_root_set_ops(), with the sim as userdata: the simulated kernel. */
extern const struct gs_root_ops gs_sim_root_ops;

/* Is the management library installed there? A host file can say that it is not. */
/* Is its management library that of years ago? */
bool gs_sim_has_old_nvml(const struct gs_sim *sim);
bool gs_sim_has_nvml(const struct gs_sim *sim);

/*
 * What the stand-in needs to know to be this machine, as environment for
 * processes that load it: sets GPUSLICE_SIM_STATE and GPUSLICE_SIM_USER in
 * this process's environment.
 */
int gs_sim_export_environment(const struct gs_sim *sim, struct gs_error *e);

/*
 * kill(2) on the simulated machine: -ESRCH no such process or another start
 * time, -EPERM not root. A process that honours @signo is gone on return (its
 * instance is free); one marked as ignoring SIGTERM stays. Never signals a
 * real process.
 */
int gs_sim_signal(struct gs_sim *sim, uint32_t pid, uint64_t start_time, int signo);
bool gs_sim_process_exists(struct gs_sim *sim, uint32_t pid, uint64_t start_time);

/*
 * Run a program of the simulated machine and wait for its end: argv[0] by path
 * or name, argv ends with NULL. Never runs a real one. There are
 *   /usr/lib/nvidia/sriov-manage -e|-d BDF|ALL     where the host has its file
 *   systemctl start|stop|is-active UNIT            where the host has units
 *   modprobe NAME
 * and what the host file gives the output of (scontrol). *@ret_output is what it
 * printed, both streams together; the caller frees. -ENOENT: no such program,
 * -EACCES: not root. A program that fails is no failure of this function.
 */
int gs_sim_run(struct gs_sim *sim, char *const argv[], int *ret_exit, char **ret_output, struct gs_error *e);

/*
 * Switch a fault on. SPEC is one of (N counts mutating calls from now, 1 is the next)
 *   nvml CALL CODE [at N]      that NVML call returns CODE (a number) the N-th time
 *   nvml CALL nothing [at N]   it returns success and changes nothing
 *   nvml CALL hang             it does not return until released; holds no lock
 *   nvml lost BDF              the GPU has fallen off the bus (15 from every call)
 *   write GLOB ERRNO [at N]    the N-th write to an attribute whose path matches fails; by name (EIO) or number
 *   write GLOB nothing [at N]  it succeeds and does nothing
 *   write GLOB hang            it does not return until released; holds no lock
 *   read GLOB ERRNO            every read of such a file fails
 *   read GLOB hang             it does not return until released
 *   program NAME nothing|interrupted|hang|exit N   its next run: does nothing and exits with 0, stops half
 *                              way, does not end until released, exits with N and does nothing
 *   vanish BDF                 the function is gone from the bus now; a GPU takes its VFs along
 *   reload DRIVER              now: as gs_sim_reload(), whoever has its GPUs open
 *   mode-pending BDF           the next mode change stays pending
 *   hold BDF|UUID [unseen]     a program has that device open through VFIO, as a virtual machine has; unseen: with a
 *                              descriptor that no process shows
 *   kill before|after|agent [at N]   at the N-th change the agent whose commit it is is killed with whoever makes it, before or
 *                              after the change; or the agent alone, and the change goes on
 *   read-only                  sysfs is mounted read-only
 *   uuid old|new               a recreated instance gets its old UUID, or a new one
 *   release                    lets hanging calls go on, and ends what holds
 *   clear                      no faults
 * CALL is an NVML function name without "nvml", or * for any mutating call. GLOB is a
 * shell pattern over the whole path; * crosses slashes; a link and what it leads to both match.
 * Status INVALID for anything else.
 */
int gs_sim_fault(struct gs_sim *sim, int argc, char *const *argv, struct gs_error *e);
/*
 * Hold what changes the machine to a list (expect.h); an empty @text ends it.
 * -EINVAL with the number of the line.
 */
int gs_sim_expect(struct gs_sim *sim, const char *text, struct gs_error *e);
/* How it stands, in lines; the caller frees. *@ret_is_met: all of the list came, and nothing else. */
int gs_sim_expect_state(struct gs_sim *sim, char **ret_text, bool *ret_is_met, struct gs_error *e);
/* The faults that are on, a line each; the caller frees. */
int gs_sim_fault_list(struct gs_sim *sim, char **ret_text, struct gs_error *e);

#endif
