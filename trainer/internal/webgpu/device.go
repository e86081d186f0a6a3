//go:build webgpu

package webgpu

import (
	"cmp"
	"errors"
	"fmt"
	"runtime/cgo"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/oliverbestmann/webgpu/wgpu"
)

// enumerate returns the adapters, the fastest kind first.
func enumerate() ([]*wgpu.Adapter, []Adapter) {
	wgpu.SetLogLevel(wgpu.LogLevelOff)
	instance := createInstance()
	defer instance.Release()
	found := instance.EnumerateAdapters(nil)
	slices.SortStableFunc(found, func(a, b *wgpu.Adapter) int {
		return cmp.Compare(rank(a.GetInfo().AdapterType), rank(b.GetInfo().AdapterType))
	})
	var all []Adapter
	for _, a := range found {
		info := a.GetInfo()
		kind := map[wgpu.AdapterType]string{
			wgpu.AdapterTypeDiscreteGPU: "discrete", wgpu.AdapterTypeIntegratedGPU: "integrated", wgpu.AdapterTypeCPU: "software",
		}[info.AdapterType]
		all = append(all, Adapter{
			Name: info.Device, Backend: info.BackendType.String(), Kind: cmp.Or(kind, "virtual"), Driver: strings.TrimSpace(info.Description),
			Software: info.AdapterType == wgpu.AdapterTypeCPU,
			Times:    a.HasFeature(wgpu.FeatureNameTimestampQuery),
			Buffer:   limitsOf(a).buffer,
		})
	}
	return found, all
}

func rank(t wgpu.AdapterType) int {
	return slices.Index([]wgpu.AdapterType{wgpu.AdapterTypeCPU, wgpu.AdapterTypeUnknown, wgpu.AdapterTypeIntegratedGPU, wgpu.AdapterTypeDiscreteGPU}, t) * -1
}

// Adapters lists what there is, the fastest kind first.
func Adapters() []Adapter {
	_, all := enumerate()
	return all
}

// ErrNoAdapter says that no driver shows a GPU.
var ErrNoAdapter = errors.New("no driver shows a GPU; install its Vulkan driver (on Debian and Ubuntu, mesa-vulkan-drivers has most, and a software GPU)")

// patience is how long a device may take for one thing before it counts as dead.
const patience = 10 * time.Minute

// Device is an adapter opened for work. Its methods are safe for concurrent use;
// one goroutine makes every call to the library.
type Device struct {
	Adapter Adapter

	gpu     *wgpu.Device
	queue   *wgpu.Queue
	limits  limits
	handle  cgo.Handle
	calls   chan func()
	quit    chan struct{}
	lost    chan struct{} // closed when the device is lost
	closing atomic.Bool

	mu      sync.Mutex
	failure error // the first error that no call returned
	cause   error // why it is lost
}

// Open opens the first adapter of Adapters that fits: any if name is empty, else
// one whose name contains it.
func Open(name string) (*Device, error) {
	found, all := enumerate()
	if len(all) == 0 {
		return nil, ErrNoAdapter
	}
	at := slices.IndexFunc(all, func(a Adapter) bool { return strings.Contains(strings.ToLower(a.Name), strings.ToLower(name)) })
	if at < 0 {
		return nil, fmt.Errorf("no GPU is called %q; there is %v", name, all)
	}
	d := &Device{Adapter: all[at], limits: limitsOf(found[at]), calls: make(chan func()), quit: make(chan struct{}), lost: make(chan struct{})}
	d.handle = cgo.NewHandle(d)
	go func() {
		for {
			select {
			case f := <-d.calls:
				f()
			case <-d.quit:
				return
			}
		}
	}()
	err := d.do("opening it", func() error {
		if d.gpu = openDevice(found[at], d.Adapter.Times, uintptr(d.handle)); d.gpu == nil {
			return errors.New("the driver refuses")
		}
		d.queue = d.gpu.GetQueue()
		return nil
	})
	if err != nil {
		close(d.quit)
		return nil, err
	}
	return d, nil
}

// Close gives the device back.
func (d *Device) Close() error {
	if d.closing.Swap(true) {
		return nil
	}
	err := d.do("closing it", func() error {
		d.queue.Release()
		d.gpu.Release()
		return nil
	})
	close(d.quit)
	if errors.Is(err, ErrLost) {
		return nil
	}
	return err
}

// do runs f, which calls the library, and returns what went wrong: what f
// returns, an error that the library had nobody to tell of, a panic, the loss of
// the device, or that f does not come to an end.
func (d *Device) do(what string, f func() error) error {
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	done := make(chan error, 1)
	call := func() {
		defer func() {
			if p := recover(); p != nil {
				done <- fmt.Errorf("%v", p)
			}
		}()
		err := f()
		if err == nil {
			err = d.failed()
		}
		done <- err
	}
	var err error
	select { // a device that is lost takes no more calls
	case <-d.lost:
		err = d.loss()
	default:
		select {
		case d.calls <- call:
			select {
			case err = <-done:
			case <-d.lost:
				err = d.loss()
			case <-timeout.C:
				d.lose(fmt.Sprintf("it has not answered for %v", patience))
				err = d.loss()
			}
		case <-d.lost:
			err = d.loss()
		case <-timeout.C:
			err = fmt.Errorf("it has been busy for %v", patience)
		}
	}
	if err == nil {
		return nil
	}
	if !errors.Is(err, ErrLost) && strings.Contains(err.Error(), "device is lost") { // as the library words it
		d.lose("it was found so")
		err = d.loss()
	}
	return fmt.Errorf("GPU %s: %s: %w", d.Adapter, what, err)
}

// ErrLost says that the device is gone: unplugged, reset by its driver, or asleep.
var ErrLost = errors.New("the GPU is lost; the last checkpoint is kept")

func (d *Device) lose(message string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cause == nil {
		d.cause = fmt.Errorf("%w: %s", ErrLost, message)
		close(d.lost)
	}
}

func (d *Device) loss() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.cause
}

func (d *Device) fail(message string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.failure == nil {
		d.failure = errors.New(strings.Join(strings.Fields(message), " "))
	}
}

// failed returns the error that was left behind, once.
func (d *Device) failed() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	err := d.failure
	d.failure = nil
	return err
}

// buffer makes a buffer of n float32, all 0.
func (d *Device) buffer(label string, n int, usage wgpu.BufferUsage) (*wgpu.Buffer, error) {
	size := max(n, 1) * 4
	if size > d.limits.buffer {
		return nil, fmt.Errorf("%s takes %d bytes and a buffer may have %d: a smaller batch takes less", label, size, d.limits.buffer)
	}
	b, err := d.gpu.TryCreateBuffer(&wgpu.BufferDescriptor{Label: label, Size: uint64(size), Usage: usage})
	if err == nil {
		err = d.failed()
	}
	if err != nil {
		return nil, fmt.Errorf("%s takes %d bytes, which cannot be had (a smaller batch takes less): %w", label, size, err)
	}
	return b, nil
}

// graveyard keeps what belongs to a lost device from being given back: its locks
// may be held for good.
func graveyard(held []release) {
	graves.Lock()
	defer graves.Unlock()
	graves.all = append(graves.all, held...)
}

var graves struct {
	sync.Mutex
	all []release
}
