package webgpu

import "fmt"

// Adapter is a GPU as a driver shows it: a card that two drivers drive is two.
type Adapter struct {
	Name     string `json:"name"`
	Backend  string `json:"backend"`  // vulkan, metal or d3d12
	Kind     string `json:"kind"`     // discrete, integrated, virtual or software
	Driver   string `json:"driver"`   // as the driver calls itself; often empty
	Software bool   `json:"software"` // a CPU that passes for a GPU
	Times    bool   `json:"times"`    // it can say how long each shader ran
	Buffer   int    `json:"buffer"`   // bytes of the largest buffer
}

func (a Adapter) String() string { return fmt.Sprintf("%s (%s, %s)", a.Name, a.Kind, a.Backend) }
