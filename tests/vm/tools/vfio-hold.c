/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-hold - hold a VFIO group or a device of it, as a virtual machine does.
 *
 *	vfio-hold group N                  the group's node alone
 *	vfio-hold device N NAME            the device NAME (an address or an mdev's UUID) of group N
 *	vfio-hold device-request N NAME    and let go when the kernel asks for it
 *	vfio-hold device-unseen N NAME     by descriptors on their way through a socket, which no process shows
 *
 * Prints "held" on a line when it holds; lets go at end of file on standard
 * input, at SIGTERM, or when asked; then prints "released" or "asked". When it
 * cannot hold: the call and the errno's name, exit status 1. Linked statically.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/vfio.h>

static int failed(const char *call)
{
	printf("%s %s\n", call, strerrorname_np(errno));
	return 1;
}

/* The device's descriptor, with its container and IOMMU set up; -1 after having said why not. */
static int open_device(int group, const char *name, int *ret_container)
{
	int container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	int device = -1;

	*ret_container = container;
	if (container < 0)
		failed("container");
	else if (ioctl(group, VFIO_GROUP_SET_CONTAINER, &container) < 0)
		failed("set-container");
	else if (ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) < 0)
		failed("set-iommu");
	else if ((device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, name)) < 0)
		failed("get-device");
	return device;
}

/* An eventfd that the kernel signals when it wants the device back. */
static int register_request(int device)
{
	char buffer[sizeof(struct vfio_irq_set) + sizeof(int)] __attribute__((aligned(8)));
	struct vfio_irq_set *set = (struct vfio_irq_set *)buffer;
	int event = eventfd(0, EFD_CLOEXEC);

	memset(buffer, 0, sizeof(buffer));
	set->argsz = sizeof(buffer);
	set->flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER;
	set->index = VFIO_PCI_REQ_IRQ_INDEX;
	set->count = 1;
	memcpy(set->data, &event, sizeof(event));
	return ioctl(device, VFIO_DEVICE_SET_IRQS, set) < 0 ? -1 : event;
}

/* Into a socket whose other end never takes them out. False with errno set. */
static bool hide(int socket, int fd)
{
	char byte = 0, control[CMSG_SPACE(sizeof(fd))] __attribute__((aligned(8))) = { 0 };
	struct iovec bytes = { &byte, 1 };
	struct msghdr m = { .msg_iov = &bytes, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	return sendmsg(socket, &m, 0) == 1 && close(fd) == 0;
}

/* True when the kernel asked, false at the end of the input or at SIGTERM. */
static bool wait_until_told(int request)
{
	sigset_t terminate;
	struct pollfd fds[3] = { { .fd = STDIN_FILENO, .events = POLLIN }, { .fd = request, .events = POLLIN } };

	sigemptyset(&terminate);
	sigaddset(&terminate, SIGTERM);
	sigprocmask(SIG_BLOCK, &terminate, NULL);
	fds[2] = (struct pollfd){ .fd = signalfd(-1, &terminate, SFD_CLOEXEC), .events = POLLIN };
	printf("held\n");
	fflush(stdout);
	while (poll(fds, 3, -1) < 0 && errno == EINTR)
		;
	return fds[1].revents != 0;
}

int main(int argc, char **argv)
{
	bool wants_device = argc == 4 && (strcmp(argv[1], "device") == 0 || strcmp(argv[1], "device-request") == 0 || strcmp(argv[1], "device-unseen") == 0);
	int group, request = -1;
	char node[64];

	if (!wants_device && !(argc == 3 && strcmp(argv[1], "group") == 0)) {
		fprintf(stderr, "usage: vfio-hold group N | device|device-request|device-unseen N NAME\n");
		return 2;
	}
	snprintf(node, sizeof(node), "/dev/vfio/%s", argv[2]);
	group = open(node, O_RDWR | O_CLOEXEC);
	if (group < 0)
		return failed("open-group");
	if (wants_device) {
		int container, device = open_device(group, argv[3], &container), sockets[2];

		if (device < 0)
			return 1;
		if (strcmp(argv[1], "device-request") == 0 && (request = register_request(device)) < 0)
			return failed("set-irqs");
		if (strcmp(argv[1], "device-unseen") == 0 && (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) < 0 ||
		    !hide(sockets[0], device) || !hide(sockets[0], group) || !hide(sockets[0], container)))
			return failed("hide");
	}
	puts(wait_until_told(request) ? "asked" : "released");
	return 0;
}
