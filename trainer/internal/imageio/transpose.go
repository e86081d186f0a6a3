package imageio

// Transpose swaps the rows and the columns of every image: EMNIST's IDX files have
// their digits lying on their sides in a mirror.
func (im *Images) Transpose() {
	for i := range im.N {
		image := im.Pixels[i*Pixels : (i+1)*Pixels]
		for y := range Side {
			for x := range y {
				image[y*Side+x], image[x*Side+y] = image[x*Side+y], image[y*Side+x]
			}
		}
	}
}
