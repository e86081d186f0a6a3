//go:build webgpu

package webgpu

/*
#include <stdint.h>
#include <stddef.h>
*/
import "C"

import "runtime/cgo"

// mppmDeviceLost is called when a device is lost, from within whatever call
// found out. The library ends the process once it returns, so it does not: that
// call, and the goroutine that makes all calls to the device, wait here for good,
// and whoever waits for them learns from lose.
//
//export mppmDeviceLost
func mppmDeviceLost(message *C.char, length C.size_t, user C.uintptr_t) {
	d := cgo.Handle(user).Value().(*Device)
	if d.closing.Load() {
		return
	}
	d.lose(C.GoStringN(message, C.int(length)))
	select {}
}

// mppmDeviceError is called for an error that no call returns: the device is out
// of memory, or worse.
//
//export mppmDeviceError
func mppmDeviceError(message *C.char, length C.size_t, user C.uintptr_t) {
	cgo.Handle(user).Value().(*Device).fail(C.GoStringN(message, C.int(length)))
}
