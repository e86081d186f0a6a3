//go:build webgpu

package webgpu

// The Go library has no way to hear of a lost device or of an error that no call
// returns, and without a listener both end the process; what it chooses backends
// and reads limits with goes through memory that it does not clear. So these few
// things, and passes that are timed, go over the C interface underneath it
// (webgpu.h and wgpu.h of wgpu-native v27).

/*
#include <stdint.h>
#include <string.h>

typedef struct { char const *data; size_t length; } text;
typedef struct { uint64_t id; } future;

typedef void (*requestCallback)(int status, void *device, text message, void *user, void *none);
typedef void (*errorCallback)(void *device, int kind, text message, void *user, void *none);

typedef struct { void *chain; int mode; requestCallback call; void *user, *none; } requestInfo;
typedef struct { void *chain; int mode; errorCallback call; void *user, *none; } lostInfo;
typedef struct { void *chain; errorCallback call; void *user, *none; } errorInfo;

typedef struct {
	struct { void const *next; int kind; } chain;
	uint64_t backends, flags;
	int d3dCompiler, glMinor, glFence;
	text d3dPath;
	int d3dModel;
	void const *createBudget, *loseBudget;
} instanceExtras;

typedef struct { void const *chain; struct { void *chain; uint32_t wait; size_t count; } features; } instanceDescriptor;

typedef struct {
	void *chain;
	uint32_t texture[4], bind[3], dynamic[2], stage[5];
	uint64_t uniformBinding, storageBinding;
	uint32_t alignment[2], vertexBuffers;
	uint64_t buffer;
	uint32_t vertex[2], inter, color[2], compute[6];
} limits;

typedef struct {
	void *chain;
	text label;
	size_t featureCount;
	int const *features;
	limits const *required;
	struct { void *chain; text label; } queue;
	lostInfo lost;
	errorInfo error;
} deviceDescriptor;

typedef struct { void *set; uint32_t begin, end; } timestamps;
typedef struct { void *chain; text label; timestamps const *times; } passDescriptor;

extern void *wgpuCreateInstance(instanceDescriptor const *d);
extern int wgpuAdapterGetLimits(void *adapter, limits *l);
extern future wgpuAdapterRequestDevice(void *adapter, deviceDescriptor const *d, requestInfo info);
extern void wgpuDeviceDestroy(void *device);
extern void *wgpuCommandEncoderBeginComputePass(void *encoder, passDescriptor const *d);

extern void mppmDeviceLost(char *message, size_t length, uintptr_t user);
extern void mppmDeviceError(char *message, size_t length, uintptr_t user);

static size_t textLength(text t) { return t.data && t.length == SIZE_MAX ? strlen(t.data) : t.length; }

static void onLost(void *device, int reason, text m, void *user, void *none) {
	mppmDeviceLost((char *)m.data, textLength(m), (uintptr_t)user);
}

static void onError(void *device, int kind, text m, void *user, void *none) {
	mppmDeviceError((char *)m.data, textLength(m), (uintptr_t)user);
}

static void onRequest(int status, void *device, text m, void *user, void *none) { *(void **)user = device; }

static void *createInstance(void) {
	static uint64_t const vulkan = 1 << 0, metal = 1 << 2, direct3D12 = 1 << 3;
	instanceExtras x = {{0, 0x30006}};
	x.backends = vulkan | metal | direct3D12;
	instanceDescriptor d = {&x};
	return wgpuCreateInstance(&d);
}

static void getLimits(void *adapter, uint64_t *buffer, uint64_t *binding, uint32_t *bindings) {
	limits l = {0};
	wgpuAdapterGetLimits(adapter, &l);
	*buffer = l.buffer;
	*binding = l.storageBinding;
	*bindings = l.stage[2];
}

// Asks for everything the adapter can do, and for timestamps if timed.
static void *openDevice(void *adapter, int timed, uintptr_t user) {
	static int const timestampQuery = 3, spontaneous = 3;
	limits all = {0};
	void *device = 0;
	wgpuAdapterGetLimits(adapter, &all);
	all.chain = 0;
	deviceDescriptor d = {0};
	d.features = &timestampQuery;
	d.featureCount = timed ? 1 : 0;
	d.required = &all;
	d.lost = (lostInfo){0, spontaneous, onLost, (void *)user, 0};
	d.error = (errorInfo){0, onError, (void *)user, 0};
	wgpuAdapterRequestDevice(adapter, &d, (requestInfo){0, spontaneous, onRequest, &device, 0});
	return device;
}

static void *beginTimedPass(void *encoder, void *set, uint32_t begin) {
	timestamps t = {set, begin, begin + 1};
	passDescriptor d = {0};
	d.times = &t;
	return wgpuCommandEncoderBeginComputePass(encoder, &d);
}
*/
import "C"

import (
	"unsafe"

	"github.com/oliverbestmann/webgpu/wgpu"
)

// reference is where an object of the library keeps the C object: its first
// field, which the library does not export.
func reference[T wgpu.Instance | wgpu.Adapter | wgpu.Device | wgpu.CommandEncoder | wgpu.QuerySet](o *T) *unsafe.Pointer {
	return (*unsafe.Pointer)(unsafe.Pointer(o))
}

// createInstance returns the way to the adapters that have compute shaders as
// WebGPU wants them.
func createInstance() *wgpu.Instance {
	i := new(wgpu.Instance)
	*reference(i) = C.createInstance()
	return i
}

// limits is what an adapter allows.
type limits struct {
	buffer   int // bytes of a buffer that a shader sees
	bindings int // buffers of a shader
}

func limitsOf(a *wgpu.Adapter) limits {
	var buffer, binding C.uint64_t
	var bindings C.uint32_t
	C.getLimits(*reference(a), &buffer, &binding, &bindings)
	return limits{int(min(buffer, binding, 1<<40)), int(min(bindings, 1<<10))}
}

// openDevice opens an adapter; it returns nil if the adapter refuses. user is
// handed to mppmDeviceLost and mppmDeviceError.
func openDevice(a *wgpu.Adapter, timed bool, user uintptr) *wgpu.Device {
	t := C.int(0)
	if timed {
		t = 1
	}
	p := C.openDevice(*reference(a), t, C.uintptr_t(user))
	if p == nil {
		return nil
	}
	d := new(wgpu.Device)
	*reference(d) = p
	return d
}

// destroyDevice takes a device from whoever uses it.
func destroyDevice(d *wgpu.Device) { C.wgpuDeviceDestroy(*reference(d)) }

// beginTimedPass starts a pass whose start and end are written to queries number
// first and first+1 of a set.
func beginTimedPass(d *wgpu.Device, e *wgpu.CommandEncoder, set *wgpu.QuerySet, first int) *wgpu.ComputePassEncoder {
	pass := struct {
		ref    unsafe.Pointer
		device *wgpu.Device
	}{C.beginTimedPass(*reference(e), *reference(set), C.uint32_t(first)), d}
	return (*wgpu.ComputePassEncoder)(unsafe.Pointer(&pass))
}
