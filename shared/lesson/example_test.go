package lesson_test

import (
	"fmt"
	"log"
	"math"

	"mppm/shared/lesson"
)

// A page asks for a task with the message of Begin; the command trains the same.
func Example() {
	t := &lesson.Task{Name: "ring.csv", Dim: 2, Seed: 7, Settings: lesson.Settings{Latent: 2}}
	for i := range 100 {
		angle := 2 * math.Pi * float64(i) / 100
		t.Points = append(t.Points, math.Cos(angle), math.Sin(angle))
	}
	if err := t.Check(); err != nil {
		log.Fatal(err)
	}
	order, same, err := lesson.ReadOrder(t.Begin())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(order == lesson.Train, same.Len())
	fmt.Println(t.Command(""))
	// Output:
	// true 100
	// mppm train points --in ring.csv --seed 7 --latent 2 --portable
}
