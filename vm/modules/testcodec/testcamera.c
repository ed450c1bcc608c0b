// SPDX-License-Identifier: GPL-2.0
/*
 * A camera without hardware that gives H.264 and takes a bit rate while it runs, as some webcams and camera modules do, for
 * tests of what uses one. Licensed under the GPL, version 2, as modules of the Linux kernel are; everything else in this
 * repository is not.
 *
 * Its picture is a recorded stream (recorded.h), a frame each interval.
 */
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/workqueue.h>
#include <media/v4l2-ctrls.h>
#include <media/v4l2-device.h>
#include <media/v4l2-event.h>
#include <media/v4l2-fh.h>
#include <media/v4l2-ioctl.h>
#include <media/videobuf2-v4l2.h>
#include <media/videobuf2-vmalloc.h>
#include "recorded.h"

#define NAME "testcamera"

static int video_nr = 22;
module_param(video_nr, int, 0444);
MODULE_PARM_DESC(video_nr, "Number of the device, /dev/videoN");
static unsigned int stubborn;
module_param(stubborn, uint, 0644);
MODULE_PARM_DESC(stubborn, "1: takes no other bit rate while it runs (EBUSY), and key frames come when it likes");
static unsigned int bitrate_now;
module_param(bitrate_now, uint, 0444);
MODULE_PARM_DESC(bitrate_now, "The bit rate that was asked for last, in bit/s");

/* There is a recording for each. */
static const struct v4l2_frmsize_discrete sizes[] = { { 320, 240 }, { 640, 480 }, { 1280, 720 } };
static const struct v4l2_fract intervals[] = { { 1, 15 }, { 1, 30 } };

static struct platform_device *device;
static struct v4l2_device v4l2;
static struct v4l2_ctrl_handler controls;
static struct video_device video;
static struct vb2_queue queue;
static struct recorded stream;
static const struct v4l2_frmsize_discrete *size = &sizes[1];
static u32 sequence, period;
static bool key_frame;
static DEFINE_MUTEX(lock);

struct buffer {
	struct vb2_v4l2_buffer vb; /* first, for videobuf2 */
	struct list_head list;
};

static DEFINE_SPINLOCK(waiting_lock);
static LIST_HEAD(waiting);

static void expose(struct work_struct *work);
static DECLARE_DELAYED_WORK(exposing, expose);

static u32 most_bytes(void)
{
	return recorded_bytes(size->width, size->height);
}

static struct buffer *take(void)
{
	struct buffer *first;

	spin_lock(&waiting_lock);
	first = list_first_entry_or_null(&waiting, struct buffer, list);
	if (first)
		list_del(&first->list);
	spin_unlock(&waiting_lock);
	return first;
}

static void give_back(enum vb2_buffer_state state)
{
	struct buffer *b;

	while ((b = take()))
		vb2_buffer_done(&b->vb.vb2_buf, state);
}

/* The work: a frame. Where there is no buffer for it, it is lost. */
static void expose(struct work_struct *work)
{
	struct buffer *b = take();

	schedule_delayed_work(&exposing, max_t(unsigned long, 1, HZ * stream.interval.numerator / stream.interval.denominator));
	if (period && !stubborn && sequence % period == 0)
		key_frame = true;
	sequence++;
	if (!b)
		return;
	b->vb.field = V4L2_FIELD_NONE;
	b->vb.sequence = sequence;
	b->vb.vb2_buf.timestamp = ktime_get_ns();
	vb2_buffer_done(&b->vb.vb2_buf,
			recorded_next(&stream, &b->vb, xchg(&key_frame, false)) ? VB2_BUF_STATE_DONE : VB2_BUF_STATE_ERROR);
}

static int queue_setup(struct vb2_queue *q, unsigned int *buffers, unsigned int *planes, unsigned int bytes[],
		       struct device *devices[])
{
	if (*planes)
		return *planes != 1 || bytes[0] < most_bytes() ? -EINVAL : 0;
	*planes = 1;
	bytes[0] = most_bytes();
	return 0;
}

static void buffer_queue(struct vb2_buffer *vb)
{
	struct buffer *b = container_of(to_vb2_v4l2_buffer(vb), struct buffer, vb);

	spin_lock(&waiting_lock);
	list_add_tail(&b->list, &waiting);
	spin_unlock(&waiting_lock);
}

static int start_streaming(struct vb2_queue *q, unsigned int count)
{
	int result = recorded_open(&stream, size->width, size->height, &device->dev);

	if (result) {
		give_back(VB2_BUF_STATE_QUEUED);
		return result;
	}
	sequence = 0;
	schedule_delayed_work(&exposing, 1);
	return 0;
}

static void stop_streaming(struct vb2_queue *q)
{
	cancel_delayed_work_sync(&exposing);
	give_back(VB2_BUF_STATE_ERROR);
}

static const struct vb2_ops queue_ops = {
	.queue_setup = queue_setup,
	.buf_queue = buffer_queue,
	.start_streaming = start_streaming,
	.stop_streaming = stop_streaming,
	.wait_prepare = vb2_ops_wait_prepare,
	.wait_finish = vb2_ops_wait_finish,
};

static int querycap(struct file *file, void *fh, struct v4l2_capability *cap)
{
	strscpy(cap->driver, NAME, sizeof(cap->driver));
	strscpy(cap->card, NAME, sizeof(cap->card));
	strscpy(cap->bus_info, "platform:" NAME, sizeof(cap->bus_info));
	return 0;
}

static int enum_size(struct file *file, void *fh, struct v4l2_frmsizeenum *s)
{
	if (s->index >= ARRAY_SIZE(sizes) || s->pixel_format != V4L2_PIX_FMT_H264)
		return -EINVAL;
	s->type = V4L2_FRMSIZE_TYPE_DISCRETE;
	s->discrete = sizes[s->index];
	return 0;
}

static int enum_interval(struct file *file, void *fh, struct v4l2_frmivalenum *i)
{
	unsigned int n;

	if (i->index >= ARRAY_SIZE(intervals) || i->pixel_format != V4L2_PIX_FMT_H264)
		return -EINVAL;
	for (n = 0; n < ARRAY_SIZE(sizes); n++)
		if (sizes[n].width == i->width && sizes[n].height == i->height) {
			i->type = V4L2_FRMIVAL_TYPE_DISCRETE;
			i->discrete = intervals[i->index];
			return 0;
		}
	return -EINVAL;
}

static int describe(struct v4l2_format *format, const struct v4l2_frmsize_discrete *s)
{
	format->fmt.pix = (struct v4l2_pix_format){
		.width = s->width,
		.height = s->height,
		.pixelformat = V4L2_PIX_FMT_H264,
		.field = V4L2_FIELD_NONE,
		.sizeimage = recorded_bytes(s->width, s->height),
		.colorspace = V4L2_COLORSPACE_SRGB,
	};
	return 0;
}

static const struct v4l2_frmsize_discrete *nearest(const struct v4l2_format *format)
{
	return v4l2_find_nearest_size(sizes, ARRAY_SIZE(sizes), width, height, format->fmt.pix.width, format->fmt.pix.height);
}

static int get_format(struct file *file, void *fh, struct v4l2_format *format)
{
	return describe(format, size);
}

static int try_format(struct file *file, void *fh, struct v4l2_format *format)
{
	return describe(format, nearest(format));
}

static int set_format(struct file *file, void *fh, struct v4l2_format *format)
{
	if (vb2_is_busy(&queue))
		return -EBUSY;
	size = nearest(format);
	return describe(format, size);
}

static int get_parm(struct file *file, void *fh, struct v4l2_streamparm *parm)
{
	if (parm->type != V4L2_BUF_TYPE_VIDEO_CAPTURE)
		return -EINVAL;
	parm->parm.capture.capability = V4L2_CAP_TIMEPERFRAME;
	parm->parm.capture.timeperframe = stream.interval;
	parm->parm.capture.readbuffers = 2;
	return 0;
}

static int set_parm(struct file *file, void *fh, struct v4l2_streamparm *parm)
{
	struct v4l2_fract asked = parm->parm.capture.timeperframe;

	if (vb2_is_busy(&queue))
		return -EBUSY;
	if (asked.numerator && asked.denominator)
		stream.interval = intervals[asked.denominator > 15 * asked.numerator];
	return get_parm(file, fh, parm);
}

static int enum_input(struct file *file, void *fh, struct v4l2_input *input)
{
	if (input->index)
		return -EINVAL;
	input->type = V4L2_INPUT_TYPE_CAMERA;
	strscpy(input->name, "Camera", sizeof(input->name));
	return 0;
}

static int get_input(struct file *file, void *fh, unsigned int *input)
{
	*input = 0;
	return 0;
}

static int set_input(struct file *file, void *fh, unsigned int input)
{
	return input ? -EINVAL : 0;
}

static const struct v4l2_ioctl_ops ioctls = {
	.vidioc_querycap = querycap,
	.vidioc_enum_fmt_vid_cap = recorded_format,
	.vidioc_enum_framesizes = enum_size,
	.vidioc_enum_frameintervals = enum_interval,
	.vidioc_g_fmt_vid_cap = get_format,
	.vidioc_try_fmt_vid_cap = try_format,
	.vidioc_s_fmt_vid_cap = set_format,
	.vidioc_g_parm = get_parm,
	.vidioc_s_parm = set_parm,
	.vidioc_enum_input = enum_input,
	.vidioc_g_input = get_input,
	.vidioc_s_input = set_input,
	.vidioc_reqbufs = vb2_ioctl_reqbufs,
	.vidioc_create_bufs = vb2_ioctl_create_bufs,
	.vidioc_querybuf = vb2_ioctl_querybuf,
	.vidioc_qbuf = vb2_ioctl_qbuf,
	.vidioc_dqbuf = vb2_ioctl_dqbuf,
	.vidioc_expbuf = vb2_ioctl_expbuf,
	.vidioc_streamon = vb2_ioctl_streamon,
	.vidioc_streamoff = vb2_ioctl_streamoff,
	.vidioc_subscribe_event = v4l2_ctrl_subscribe_event,
	.vidioc_unsubscribe_event = v4l2_event_unsubscribe,
};

static int set_control(struct v4l2_ctrl *control)
{
	if (control->id == V4L2_CID_MPEG_VIDEO_FORCE_KEY_FRAME)
		key_frame = true;
	if (control->id == V4L2_CID_MPEG_VIDEO_BITRATE) {
		if (stubborn && vb2_is_streaming(&queue))
			return -EBUSY;
		stream.bitrate = bitrate_now = control->val;
	}
	if (control->id == V4L2_CID_MPEG_VIDEO_H264_I_PERIOD)
		period = control->val;
	return 0;
}

static const struct v4l2_ctrl_ops control_ops = { .s_ctrl = set_control };

static const struct v4l2_file_operations file_ops = {
	.owner = THIS_MODULE,
	.open = v4l2_fh_open,
	.release = vb2_fop_release,
	.poll = vb2_fop_poll,
	.unlocked_ioctl = video_ioctl2,
	.mmap = vb2_fop_mmap,
};

static int init_controls(void)
{
	v4l2_ctrl_handler_init(&controls, 4);
	v4l2_ctrl_new_std(&controls, &control_ops, V4L2_CID_MPEG_VIDEO_BITRATE, 25000, 25000000, 25000, 1000000);
	v4l2_ctrl_new_std(&controls, &control_ops, V4L2_CID_MPEG_VIDEO_REPEAT_SEQ_HEADER, 0, 1, 1, 1);
	v4l2_ctrl_new_std(&controls, &control_ops, V4L2_CID_MPEG_VIDEO_FORCE_KEY_FRAME, 0, 0, 0, 0);
	v4l2_ctrl_new_std(&controls, &control_ops, V4L2_CID_MPEG_VIDEO_H264_I_PERIOD, 0, 0x7fffffff, 1, 60);
	return controls.error;
}

static int init_queue(void)
{
	queue.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	queue.io_modes = VB2_MMAP | VB2_USERPTR | VB2_DMABUF;
	queue.ops = &queue_ops;
	queue.mem_ops = &vb2_vmalloc_memops;
	queue.buf_struct_size = sizeof(struct buffer);
	queue.timestamp_flags = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
	queue.lock = &lock;
	return vb2_queue_init(&queue);
}

static int __init load(void)
{
	int result;

	stream.interval = intervals[1];
	stream.bitrate = 1000000;
	device = platform_device_register_simple(NAME, -1, NULL, 0);
	if (IS_ERR(device))
		return PTR_ERR(device);
	/* It has no driver to be named after. */
	strscpy(v4l2.name, NAME, sizeof(v4l2.name));
	result = v4l2_device_register(&device->dev, &v4l2);
	if (result)
		goto no_v4l2;
	result = init_controls();
	if (!result)
		result = init_queue();
	if (result)
		goto no_video;
	strscpy(video.name, NAME, sizeof(video.name));
	video.fops = &file_ops;
	video.ioctl_ops = &ioctls;
	video.release = video_device_release_empty;
	video.lock = &lock;
	video.queue = &queue;
	video.v4l2_dev = &v4l2;
	video.ctrl_handler = &controls;
	video.device_caps = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
	result = video_register_device(&video, VFL_TYPE_VIDEO, video_nr);
	if (!result)
		return 0;
no_video:
	v4l2_ctrl_handler_free(&controls);
	v4l2_device_unregister(&v4l2);
no_v4l2:
	platform_device_unregister(device);
	return result;
}

static void __exit unload(void)
{
	vb2_video_unregister_device(&video);
	v4l2_ctrl_handler_free(&controls);
	v4l2_device_unregister(&v4l2);
	release_firmware(stream.file);
	platform_device_unregister(device);
}

module_init(load);
module_exit(unload);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Camera with an H.264 encoder of recorded frames, for tests");
