// SPDX-License-Identifier: GPL-2.0
/*
 * A memory-to-memory H.264 encoder without hardware, for tests of what uses one. Licensed under the GPL, version 2, as
 * modules of the Linux kernel are; everything else in this repository is not.
 *
 * It looks like the encoders of small boards: multi-planar, one queue of raw pictures and one of coded ones per open
 * file, the usual controls. It does not encode: each raw picture is answered with the next frame of a recorded stream
 * (recorded.h). Faults are parameters and may be changed while it runs. It stands on videobuf2 alone, because not every
 * kernel of Debian has v4l2-mem2mem.
 */
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <media/v4l2-ctrls.h>
#include <media/v4l2-device.h>
#include <media/v4l2-event.h>
#include <media/v4l2-fh.h>
#include <media/v4l2-ioctl.h>
#include <media/videobuf2-v4l2.h>
#include <media/videobuf2-vmalloc.h>
#include "recorded.h"

#define NAME "testcodec"
#define LEAST 32
#define MOST 1920
/* Both queues of a file are mapped through it, so the offsets of the second one begin here. */
#define CODED_OFFSET (1 << 30)

static int video_nr = 11;
module_param(video_nr, int, 0444);
MODULE_PARM_DESC(video_nr, "Number of the device, /dev/videoN");
static unsigned int us_per_frame = 2000;
module_param(us_per_frame, uint, 0644);
MODULE_PARM_DESC(us_per_frame, "How long a frame takes, in microseconds");
static unsigned int fail_streamon;
module_param(fail_streamon, uint, 0644);
MODULE_PARM_DESC(fail_streamon, "1: does not start (EIO)");
static unsigned int fail_after;
module_param(fail_after, uint, 0644);
MODULE_PARM_DESC(fail_after, "After so many frames of one start, frames are flagged as errors; 0: never");
static unsigned int hang;
module_param(hang, uint, 0644);
MODULE_PARM_DESC(hang, "1: takes pictures and gives no frame back");
static unsigned int frames_out;
module_param(frames_out, uint, 0444);
MODULE_PARM_DESC(frames_out, "Frames given back since it was loaded");
static unsigned int bitrate_now;
module_param(bitrate_now, uint, 0444);
MODULE_PARM_DESC(bitrate_now, "The bit rate that was asked for last, in bit/s");

static const u32 raw_formats[] = { V4L2_PIX_FMT_YUV420, V4L2_PIX_FMT_NV12, V4L2_PIX_FMT_YUYV };
static const struct v4l2_event end_of_stream = { .type = V4L2_EVENT_EOS };

static struct platform_device *device;
static struct v4l2_device v4l2;
static struct video_device video;
static DEFINE_MUTEX(ioctl_lock);

struct buffer {
	struct vb2_v4l2_buffer vb; /* first, for videobuf2 */
	struct list_head list;
};

/* One open file. */
struct encoder {
	struct v4l2_fh fh;
	struct v4l2_ctrl_handler controls;
	struct vb2_queue raw, coded;
	struct work_struct work;
	struct recorded stream;
	u32 width, height, fourcc, colorspace, encoding, quantization, transfer;
	/* Below: held by lock. */
	spinlock_t lock;
	struct list_head raws, codeds;
	bool raw_runs, coded_runs, draining, drained, key_frame;
	u32 started, raw_sequence, coded_sequence;
};

static struct encoder *of(struct file *file)
{
	return container_of(file->private_data, struct encoder, fh);
}

static struct vb2_queue *queue(struct encoder *e, u32 type)
{
	return V4L2_TYPE_IS_OUTPUT(type) ? &e->raw : &e->coded;
}

static u32 line_bytes(const struct encoder *e)
{
	return e->fourcc == V4L2_PIX_FMT_YUYV ? e->width * 2 : e->width;
}

static u32 raw_bytes(const struct encoder *e)
{
	return e->fourcc == V4L2_PIX_FMT_YUYV ? e->width * e->height * 2 : e->width * e->height * 3 / 2;
}

static u32 coded_bytes(const struct encoder *e)
{
	return recorded_bytes(e->width, e->height);
}

/* The work: one frame for one picture */

static struct vb2_v4l2_buffer *take(struct list_head *list)
{
	struct buffer *first = list_first_entry_or_null(list, struct buffer, list);

	if (!first)
		return NULL;
	list_del(&first->list);
	return &first->vb;
}

/* A pair of buffers, or the empty last one when everything was encoded. */
static bool take_pair(struct encoder *e, struct vb2_v4l2_buffer **raw, struct vb2_v4l2_buffer **coded, bool *last)
{
	bool work;

	spin_lock(&e->lock);
	work = e->raw_runs && e->coded_runs && !e->drained && !hang && !list_empty(&e->codeds) &&
	       (!list_empty(&e->raws) || e->draining);
	if (work) {
		*raw = take(&e->raws);
		*coded = take(&e->codeds);
		*last = e->draining && list_empty(&e->raws);
		if (*last) {
			e->draining = false;
			e->drained = true;
		}
	}
	spin_unlock(&e->lock);
	return work;
}

static void encode(struct work_struct *work)
{
	struct encoder *e = container_of(work, struct encoder, work);
	struct vb2_v4l2_buffer *raw, *coded;
	bool last, key_frame;

	while (take_pair(e, &raw, &coded, &last)) {
		enum vb2_buffer_state state = VB2_BUF_STATE_DONE;

		coded->field = V4L2_FIELD_NONE;
		coded->sequence = e->coded_sequence++;
		vb2_set_plane_payload(&coded->vb2_buf, 0, 0);
		if (raw) {
			usleep_range(us_per_frame, us_per_frame + 200);
			key_frame = xchg(&e->key_frame, false);
			e->started++;
			if ((fail_after && e->started > fail_after) || !recorded_next(&e->stream, coded, key_frame))
				state = VB2_BUF_STATE_ERROR;
			raw->sequence = e->raw_sequence++;
			coded->vb2_buf.timestamp = raw->vb2_buf.timestamp;
			coded->timecode = raw->timecode;
		}
		if (last) {
			coded->flags |= V4L2_BUF_FLAG_LAST;
			v4l2_event_queue_fh(&e->fh, &end_of_stream);
		}
		if (raw)
			vb2_buffer_done(&raw->vb2_buf, state);
		vb2_buffer_done(&coded->vb2_buf, state);
		frames_out++;
	}
}

/* The queues */

static int queue_setup(struct vb2_queue *q, unsigned int *buffers, unsigned int *planes, unsigned int sizes[],
		       struct device *devices[])
{
	struct encoder *e = vb2_get_drv_priv(q);
	u32 size = V4L2_TYPE_IS_OUTPUT(q->type) ? raw_bytes(e) : coded_bytes(e);

	if (*planes)
		return *planes != 1 || sizes[0] < size ? -EINVAL : 0;
	*planes = 1;
	sizes[0] = size;
	return 0;
}

static int buffer_prepare(struct vb2_buffer *vb)
{
	struct encoder *e = vb2_get_drv_priv(vb->vb2_queue);

	to_vb2_v4l2_buffer(vb)->field = V4L2_FIELD_NONE;
	return V4L2_TYPE_IS_OUTPUT(vb->vb2_queue->type) && vb2_plane_size(vb, 0) < raw_bytes(e) ? -EINVAL : 0;
}

static void buffer_queue(struct vb2_buffer *vb)
{
	struct encoder *e = vb2_get_drv_priv(vb->vb2_queue);
	struct buffer *b = container_of(to_vb2_v4l2_buffer(vb), struct buffer, vb);

	spin_lock(&e->lock);
	list_add_tail(&b->list, V4L2_TYPE_IS_OUTPUT(vb->vb2_queue->type) ? &e->raws : &e->codeds);
	spin_unlock(&e->lock);
	schedule_work(&e->work);
}

static void give_back(struct encoder *e, struct list_head *list, enum vb2_buffer_state state)
{
	struct vb2_v4l2_buffer *vb;

	for (;;) {
		spin_lock(&e->lock);
		vb = take(list);
		spin_unlock(&e->lock);
		if (!vb)
			return;
		vb2_buffer_done(&vb->vb2_buf, state);
	}
}

static int start_streaming(struct vb2_queue *q, unsigned int count)
{
	struct encoder *e = vb2_get_drv_priv(q);
	bool output = V4L2_TYPE_IS_OUTPUT(q->type);
	int result = 0;

	if (fail_streamon)
		result = -EIO;
	if (!result && output)
		result = recorded_open(&e->stream, e->width, e->height, &device->dev);
	if (result) {
		give_back(e, output ? &e->raws : &e->codeds, VB2_BUF_STATE_QUEUED);
		return result;
	}
	spin_lock(&e->lock);
	if (output) {
		e->started = 0;
		e->raw_sequence = 0;
		e->draining = false;
		e->raw_runs = true;
	} else {
		e->coded_sequence = 0;
		e->drained = false;
		e->coded_runs = true;
	}
	spin_unlock(&e->lock);
	schedule_work(&e->work);
	return 0;
}

static void stop_streaming(struct vb2_queue *q)
{
	struct encoder *e = vb2_get_drv_priv(q);
	bool output = V4L2_TYPE_IS_OUTPUT(q->type);

	spin_lock(&e->lock);
	if (output)
		e->raw_runs = e->draining = false;
	else
		e->coded_runs = e->drained = false;
	spin_unlock(&e->lock);
	cancel_work_sync(&e->work);
	give_back(e, output ? &e->raws : &e->codeds, VB2_BUF_STATE_ERROR);
}

static const struct vb2_ops queue_ops = {
	.queue_setup = queue_setup,
	.buf_prepare = buffer_prepare,
	.buf_queue = buffer_queue,
	.start_streaming = start_streaming,
	.stop_streaming = stop_streaming,
	.wait_prepare = vb2_ops_wait_prepare,
	.wait_finish = vb2_ops_wait_finish,
};

static int init_queue(struct encoder *e, struct vb2_queue *q, u32 type)
{
	q->type = type;
	q->io_modes = VB2_MMAP | VB2_USERPTR | VB2_DMABUF;
	q->drv_priv = e;
	q->ops = &queue_ops;
	q->mem_ops = &vb2_vmalloc_memops;
	q->buf_struct_size = sizeof(struct buffer);
	q->timestamp_flags = V4L2_BUF_FLAG_TIMESTAMP_COPY;
	q->lock = &ioctl_lock;
	return vb2_queue_init(q);
}

/* What may be asked of it */

static int querycap(struct file *file, void *fh, struct v4l2_capability *cap)
{
	strscpy(cap->driver, NAME, sizeof(cap->driver));
	strscpy(cap->card, NAME "-encode", sizeof(cap->card));
	strscpy(cap->bus_info, "platform:" NAME, sizeof(cap->bus_info));
	return 0;
}

static int enum_raw(struct file *file, void *fh, struct v4l2_fmtdesc *d)
{
	if (d->index >= ARRAY_SIZE(raw_formats))
		return -EINVAL;
	d->pixelformat = raw_formats[d->index];
	return 0;
}

static int enum_sizes(struct file *file, void *fh, struct v4l2_frmsizeenum *size)
{
	if (size->index)
		return -EINVAL;
	size->type = V4L2_FRMSIZE_TYPE_STEPWISE;
	size->stepwise = (struct v4l2_frmsize_stepwise){ LEAST, MOST, 2, LEAST, MOST, 2 };
	return 0;
}

static void describe(const struct encoder *e, struct v4l2_format *format)
{
	struct v4l2_pix_format_mplane *mp = &format->fmt.pix_mp;
	bool output = V4L2_TYPE_IS_OUTPUT(format->type);

	memset(mp->plane_fmt, 0, sizeof(mp->plane_fmt));
	memset(mp->reserved, 0, sizeof(mp->reserved));
	mp->width = e->width;
	mp->height = e->height;
	mp->field = V4L2_FIELD_NONE;
	mp->flags = 0;
	mp->num_planes = 1;
	mp->pixelformat = output ? e->fourcc : V4L2_PIX_FMT_H264;
	mp->plane_fmt[0].bytesperline = output ? line_bytes(e) : 0;
	mp->plane_fmt[0].sizeimage = output ? raw_bytes(e) : coded_bytes(e);
	mp->colorspace = e->colorspace;
	mp->ycbcr_enc = e->encoding;
	mp->quantization = e->quantization;
	mp->xfer_func = e->transfer;
}

/* Takes of a format what there is. */
static void adopt(struct encoder *e, const struct v4l2_format *format)
{
	const struct v4l2_pix_format_mplane *mp = &format->fmt.pix_mp;
	unsigned int i;

	e->width = clamp_t(u32, mp->width, LEAST, MOST) & ~1u;
	e->height = clamp_t(u32, mp->height, LEAST, MOST) & ~1u;
	if (!V4L2_TYPE_IS_OUTPUT(format->type))
		return;
	e->fourcc = raw_formats[0];
	for (i = 0; i < ARRAY_SIZE(raw_formats); i++)
		if (raw_formats[i] == mp->pixelformat)
			e->fourcc = raw_formats[i];
	e->colorspace = mp->colorspace;
	e->encoding = mp->ycbcr_enc;
	e->quantization = mp->quantization;
	e->transfer = mp->xfer_func;
}

static int get_format(struct file *file, void *fh, struct v4l2_format *format)
{
	describe(of(file), format);
	return 0;
}

static int try_format(struct file *file, void *fh, struct v4l2_format *format)
{
	struct encoder *would = kmemdup(of(file), sizeof(*would), GFP_KERNEL);

	if (!would)
		return -ENOMEM;
	adopt(would, format);
	describe(would, format);
	kfree(would);
	return 0;
}

static int set_format(struct file *file, void *fh, struct v4l2_format *format)
{
	struct encoder *e = of(file);

	if (vb2_is_busy(queue(e, format->type)))
		return -EBUSY;
	/* The size is that of the raw side, once it has buffers. */
	if (V4L2_TYPE_IS_OUTPUT(format->type) || !vb2_is_busy(&e->raw))
		adopt(e, format);
	describe(e, format);
	return 0;
}

static int get_parm(struct file *file, void *fh, struct v4l2_streamparm *parm)
{
	if (!V4L2_TYPE_IS_OUTPUT(parm->type))
		return -EINVAL;
	parm->parm.output.capability = V4L2_CAP_TIMEPERFRAME;
	parm->parm.output.timeperframe = of(file)->stream.interval;
	return 0;
}

static int set_parm(struct file *file, void *fh, struct v4l2_streamparm *parm)
{
	struct v4l2_fract asked = parm->parm.output.timeperframe;

	if (V4L2_TYPE_IS_OUTPUT(parm->type) && asked.numerator && asked.denominator)
		of(file)->stream.interval = asked;
	return get_parm(file, fh, parm);
}

static int request_buffers(struct file *file, void *fh, struct v4l2_requestbuffers *r)
{
	return vb2_reqbufs(queue(of(file), r->type), r);
}

static int create_buffers(struct file *file, void *fh, struct v4l2_create_buffers *c)
{
	return vb2_create_bufs(queue(of(file), c->format.type), c);
}

static int query_buffer(struct file *file, void *fh, struct v4l2_buffer *b)
{
	int result = vb2_querybuf(queue(of(file), b->type), b);

	if (!result && V4L2_TYPE_IS_CAPTURE(b->type) && b->memory == V4L2_MEMORY_MMAP && b->length)
		b->m.planes[0].m.mem_offset += CODED_OFFSET;
	return result;
}

static int enqueue(struct file *file, void *fh, struct v4l2_buffer *b)
{
	return vb2_qbuf(queue(of(file), b->type), NULL, b);
}

static int dequeue(struct file *file, void *fh, struct v4l2_buffer *b)
{
	return vb2_dqbuf(queue(of(file), b->type), b, file->f_flags & O_NONBLOCK);
}

static int export(struct file *file, void *fh, struct v4l2_exportbuffer *b)
{
	return vb2_expbuf(queue(of(file), b->type), b);
}

static int stream_on(struct file *file, void *fh, enum v4l2_buf_type type)
{
	return vb2_streamon(queue(of(file), type), type);
}

static int stream_off(struct file *file, void *fh, enum v4l2_buf_type type)
{
	return vb2_streamoff(queue(of(file), type), type);
}

static int try_command(struct file *file, void *fh, struct v4l2_encoder_cmd *command)
{
	command->flags = 0;
	return command->cmd == V4L2_ENC_CMD_STOP || command->cmd == V4L2_ENC_CMD_START ? 0 : -EINVAL;
}

static int perform_command(struct file *file, void *fh, struct v4l2_encoder_cmd *command)
{
	struct encoder *e = of(file);
	int result = try_command(file, fh, command);

	if (result)
		return result;
	spin_lock(&e->lock);
	if (command->cmd == V4L2_ENC_CMD_START)
		e->drained = e->draining = false;
	else if (e->raw_runs && e->coded_runs && !e->drained)
		e->draining = true;
	spin_unlock(&e->lock);
	if (command->cmd == V4L2_ENC_CMD_START)
		vb2_clear_last_buffer_dequeued(&e->coded);
	schedule_work(&e->work);
	return 0;
}

static int subscribe(struct v4l2_fh *fh, const struct v4l2_event_subscription *to)
{
	return to->type == V4L2_EVENT_EOS ? v4l2_event_subscribe(fh, to, 0, NULL) : v4l2_ctrl_subscribe_event(fh, to);
}

static const struct v4l2_ioctl_ops ioctls = {
	.vidioc_querycap = querycap,
	.vidioc_enum_fmt_vid_cap = recorded_format,
	.vidioc_enum_fmt_vid_out = enum_raw,
	.vidioc_enum_framesizes = enum_sizes,
	.vidioc_g_fmt_vid_cap_mplane = get_format,
	.vidioc_try_fmt_vid_cap_mplane = try_format,
	.vidioc_s_fmt_vid_cap_mplane = set_format,
	.vidioc_g_fmt_vid_out_mplane = get_format,
	.vidioc_try_fmt_vid_out_mplane = try_format,
	.vidioc_s_fmt_vid_out_mplane = set_format,
	.vidioc_g_parm = get_parm,
	.vidioc_s_parm = set_parm,
	.vidioc_reqbufs = request_buffers,
	.vidioc_create_bufs = create_buffers,
	.vidioc_querybuf = query_buffer,
	.vidioc_qbuf = enqueue,
	.vidioc_dqbuf = dequeue,
	.vidioc_expbuf = export,
	.vidioc_streamon = stream_on,
	.vidioc_streamoff = stream_off,
	.vidioc_try_encoder_cmd = try_command,
	.vidioc_encoder_cmd = perform_command,
	.vidioc_subscribe_event = subscribe,
	.vidioc_unsubscribe_event = v4l2_event_unsubscribe,
};

static int set_control(struct v4l2_ctrl *control)
{
	struct encoder *e = container_of(control->handler, struct encoder, controls);

	if (control->id == V4L2_CID_MPEG_VIDEO_FORCE_KEY_FRAME)
		e->key_frame = true;
	if (control->id == V4L2_CID_MPEG_VIDEO_BITRATE)
		e->stream.bitrate = bitrate_now = control->val;
	return 0;
}

static const struct v4l2_ctrl_ops control_ops = { .s_ctrl = set_control };

static int init_controls(struct encoder *e)
{
	struct v4l2_ctrl_handler *h = &e->controls;
	const u64 profiles = BIT(V4L2_MPEG_VIDEO_H264_PROFILE_BASELINE) |
			     BIT(V4L2_MPEG_VIDEO_H264_PROFILE_CONSTRAINED_BASELINE) |
			     BIT(V4L2_MPEG_VIDEO_H264_PROFILE_MAIN) | BIT(V4L2_MPEG_VIDEO_H264_PROFILE_HIGH);

	v4l2_ctrl_handler_init(h, 10);
	v4l2_ctrl_new_std_menu(h, &control_ops, V4L2_CID_MPEG_VIDEO_BITRATE_MODE, 1, 0, 0);
	v4l2_ctrl_new_std(h, &control_ops, V4L2_CID_MPEG_VIDEO_REPEAT_SEQ_HEADER, 0, 1, 1, 0);
	v4l2_ctrl_new_std(h, &control_ops, V4L2_CID_MPEG_VIDEO_BITRATE, 25000, 25000000, 25000, 1000000);
	v4l2_ctrl_new_std(h, &control_ops, V4L2_CID_MPEG_VIDEO_FORCE_KEY_FRAME, 0, 0, 0, 0);
	v4l2_ctrl_new_std(h, &control_ops, V4L2_CID_MPEG_VIDEO_H264_I_PERIOD, 0, 0x7fffffff, 1, 60);
	v4l2_ctrl_new_std(h, &control_ops, V4L2_CID_MPEG_VIDEO_GOP_SIZE, 0, 0x7fffffff, 1, 60);
	v4l2_ctrl_new_std_menu(h, &control_ops, V4L2_CID_MPEG_VIDEO_H264_LEVEL, V4L2_MPEG_VIDEO_H264_LEVEL_4_2, 0,
			       V4L2_MPEG_VIDEO_H264_LEVEL_4_0);
	v4l2_ctrl_new_std_menu(h, &control_ops, V4L2_CID_MPEG_VIDEO_H264_PROFILE, V4L2_MPEG_VIDEO_H264_PROFILE_HIGH,
			       ~profiles, V4L2_MPEG_VIDEO_H264_PROFILE_HIGH);
	v4l2_ctrl_new_std(h, NULL, V4L2_CID_MIN_BUFFERS_FOR_OUTPUT, 1, 1, 1, 1);
	return h->error;
}

/* The file */

static int open_encoder(struct file *file)
{
	struct encoder *e = kzalloc(sizeof(*e), GFP_KERNEL);
	int result;

	if (!e)
		return -ENOMEM;
	e->width = 640;
	e->height = 480;
	e->fourcc = raw_formats[0];
	e->stream.interval = (struct v4l2_fract){ 1, 30 };
	e->stream.bitrate = 1000000;
	spin_lock_init(&e->lock);
	INIT_LIST_HEAD(&e->raws);
	INIT_LIST_HEAD(&e->codeds);
	INIT_WORK(&e->work, encode);
	v4l2_fh_init(&e->fh, &video);
	file->private_data = &e->fh;
	e->fh.ctrl_handler = &e->controls;
	result = init_controls(e);
	if (!result)
		result = init_queue(e, &e->raw, V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE);
	if (!result)
		result = init_queue(e, &e->coded, V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE);
	if (result) {
		v4l2_ctrl_handler_free(&e->controls);
		v4l2_fh_exit(&e->fh);
		kfree(e);
		return result;
	}
	v4l2_fh_add(&e->fh);
	return 0;
}

static int close_encoder(struct file *file)
{
	struct encoder *e = of(file);

	mutex_lock(&ioctl_lock);
	vb2_queue_release(&e->raw);
	vb2_queue_release(&e->coded);
	mutex_unlock(&ioctl_lock);
	cancel_work_sync(&e->work);
	v4l2_fh_del(&e->fh);
	v4l2_fh_exit(&e->fh);
	v4l2_ctrl_handler_free(&e->controls);
	release_firmware(e->stream.file);
	kfree(e);
	return 0;
}

static bool has_done(struct vb2_queue *q)
{
	unsigned long flags;
	bool done;

	spin_lock_irqsave(&q->done_lock, flags);
	done = !list_empty(&q->done_list);
	spin_unlock_irqrestore(&q->done_lock, flags);
	return done;
}

static bool is_idle(struct vb2_queue *q)
{
	return !vb2_is_streaming(q) || q->error || list_empty(&q->queued_list);
}

static __poll_t poll(struct file *file, struct poll_table_struct *wait)
{
	struct encoder *e = of(file);
	__poll_t ready = 0;

	poll_wait(file, &e->raw.done_wq, wait);
	poll_wait(file, &e->coded.done_wq, wait);
	poll_wait(file, &e->fh.wait, wait);
	if (v4l2_event_pending(&e->fh))
		ready |= EPOLLPRI;
	if (is_idle(&e->raw) && is_idle(&e->coded) && !e->coded.last_buffer_dequeued)
		return ready | EPOLLERR;
	if (has_done(&e->raw))
		ready |= EPOLLOUT | EPOLLWRNORM;
	if (has_done(&e->coded) || e->coded.last_buffer_dequeued)
		ready |= EPOLLIN | EPOLLRDNORM;
	return ready;
}

static int map(struct file *file, struct vm_area_struct *area)
{
	const unsigned long coded = CODED_OFFSET >> PAGE_SHIFT;

	if (area->vm_pgoff < coded)
		return vb2_mmap(&of(file)->raw, area);
	area->vm_pgoff -= coded;
	return vb2_mmap(&of(file)->coded, area);
}

static const struct v4l2_file_operations file_ops = {
	.owner = THIS_MODULE,
	.open = open_encoder,
	.release = close_encoder,
	.poll = poll,
	.unlocked_ioctl = video_ioctl2,
	.mmap = map,
};

static int __init load(void)
{
	int result;

	device = platform_device_register_simple(NAME, -1, NULL, 0);
	if (IS_ERR(device))
		return PTR_ERR(device);
	/* It has no driver to be named after. */
	strscpy(v4l2.name, NAME, sizeof(v4l2.name));
	result = v4l2_device_register(&device->dev, &v4l2);
	if (result)
		goto no_v4l2;
	strscpy(video.name, NAME, sizeof(video.name));
	video.fops = &file_ops;
	video.ioctl_ops = &ioctls;
	video.release = video_device_release_empty;
	video.lock = &ioctl_lock;
	video.v4l2_dev = &v4l2;
	video.vfl_dir = VFL_DIR_M2M;
	video.device_caps = V4L2_CAP_VIDEO_M2M_MPLANE | V4L2_CAP_STREAMING;
	result = video_register_device(&video, VFL_TYPE_VIDEO, video_nr);
	if (!result)
		return 0;
	v4l2_device_unregister(&v4l2);
no_v4l2:
	platform_device_unregister(device);
	return result;
}

static void __exit unload(void)
{
	video_unregister_device(&video);
	v4l2_device_unregister(&v4l2);
	platform_device_unregister(device);
}

module_init(load);
module_exit(unload);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("H.264 encoder of recorded frames, for tests");
