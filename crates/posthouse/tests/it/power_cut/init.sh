#!/bin/busybox sh
# The whole system of the guest: what a node needs to run on a data disk, and no more. It says on
# the console what it has done, and stops the node in order when it is told `stop` there.

/bin/busybox mkdir -p /dev /proc /sys /tmp /data
/bin/busybox mount -t devtmpfs none /dev
exec < /dev/console > /dev/console 2>&1
/bin/busybox --install -s /bin
export PATH=/bin HOME=/tmp NO_COLOR=1
mount -t proc none /proc
mount -t sysfs none /sys
mount -t tmpfs none /tmp
stty -echo

while read -r module; do insmod "/modules/$module"; done < /modules/order
ip addr add 127.0.0.1/8 dev lo
ip link set lo up
ip addr add 10.0.2.15/24 dev eth0
ip link set eth0 up
mount -t ext4 /dev/vda /data || { echo "guest: the disk cannot be mounted"; poweroff -f; }
echo "guest: the disk is mounted"

# The node listens on loopback only, as it does by default; the network is led there.
nc -ll -p 6001 -e nc 127.0.0.1 61613 &
nc -ll -p 6002 -e nc 127.0.0.1 8161 &

/bin/posthouse serve --config /etc/posthouse.toml --data-dir /data/posthouse &
node=$!
while read -r word; do
    case "$word" in
        stop) break ;;
    esac
done
kill -TERM "$node"
wait "$node"
echo "guest: the node ended with $?"
umount /data && echo "guest: the disk is unmounted"
poweroff -f
